import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lsetxattr } from '@tbuild/linux';
import type { Mount, OverlayFlavour } from './snapshotter.ts';

/** The flavours that this process can write: both as root, `user` alone inside a user namespace. */
export function writableFlavours(): readonly OverlayFlavour[] {
  const probe = join(mkdtempSync(join(tmpdir(), 'flavour-')), 'probe');
  writeFileSync(probe, '');
  try {
    lsetxattr(probe, 'trusted.overlay.probe', Buffer.from('y'));
    return ['trusted', 'user'];
  } catch {
    return ['user'];
  }
}

/** Runs a shell script in a mount namespace of its own where `mount` is at `./merged`; gives its output. */
export function inMount(mount: Mount, script: string): string {
  mkdirSync(join(mount.directory, 'merged'), { recursive: true });
  const line = `mount -t ${mount.type} ${mount.source} -o '${mount.options.join(',')}' merged && cd merged && ${script}`;
  const result = spawnSync('unshare', ['--mount', 'sh', '-ec', line], {
    cwd: mount.directory,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LIBMOUNT_FORCE_MOUNT2: 'always' },
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout;
}
