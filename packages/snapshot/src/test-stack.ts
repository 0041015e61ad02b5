import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lsetxattr } from '@tbuild/linux';
import { afterAll } from 'vitest';
import type { Mount, OverlayFlavour } from './snapshotter.ts';

const made: string[] = [];

afterAll(() => {
  // `rmSync` of Node 20 overflows the stack in very deep trees.
  spawnSync('rm', ['-rf', ...made.splice(0)]);
});

/**
 * Makes a directory that is removed after the tests of the file. Its name contains characters that need care in mount
 * options.
 */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'trees, with: oddities-'));
  made.push(directory);
  return directory;
}

/** Returns the flavours that this process can write: both as root, only `user` inside a user namespace. */
export function writableFlavours(): readonly OverlayFlavour[] {
  const probe = join(newDirectory(), 'probe');
  writeFileSync(probe, '');
  try {
    lsetxattr(probe, 'trusted.overlay.probe', Buffer.from('y'));
    return ['trusted', 'user'];
  } catch {
    return ['user'];
  }
}

/** Mounts `mount` at `./merged` in a new mount namespace, runs a shell script there, and returns its output. */
export function inMount(mount: Mount, script: string): string {
  mkdirSync(join(mount.directory, 'merged'), { recursive: true });
  const line = `mount -t ${mount.type} ${mount.source} -o '${mount.options.join(',')}' merged && cd merged && ${script}`;
  return shell(line, mount.directory, ['unshare', '--mount']);
}

/** Runs a shell script in `directory` and returns its output. @throws Error if it fails. */
export function shell(script: string, directory: string, prefix: readonly string[] = []): string {
  const [program = '', ...args] = [...prefix, 'bash', '-ec', script];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', LIBMOUNT_FORCE_MOUNT2: 'always' };
  const result = spawnSync(program, args, { cwd: directory, env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${script}: ${result.stderr}`);
  return result.stdout;
}
