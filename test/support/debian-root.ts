import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage } from './base-images.ts';
import { imagesOf, readLayer } from './layout.ts';
import { runProcess, type ProcessResult } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

/** A Debian root file system without Node, in which programs run as in a machine of its own. */
export interface DebianRoot {
  readonly directory: string;
  /** Runs a shell script as root, or as a user with that id, in a mount namespace of its own with /proc and /dev. */
  run(script: string, options?: { readonly uid?: number }): Promise<ProcessResult>;
}

/** Unpacks the base image `debian` of an architecture. */
export function debianRoot(image: 'debian' | 'debian-arm64' = 'debian'): DebianRoot {
  const directory = scratchDirectory('debian');
  const layout = baseImage(image);
  const [found] = imagesOf(layout);
  for (const layer of found?.manifest.layers ?? [])
    execFileSync('tar', ['-x', '-C', directory], { input: readLayer(layout, layer) });
  for (const name of ['dev', 'proc', 'base']) mkdirSync(join(directory, name), { recursive: true });
  return {
    directory,
    run(script, { uid } = {}) {
      const mounts = [
        `mount --bind ${directory} ${directory}`,
        `mount --rbind /dev ${directory}/dev`,
        `mount --rbind /proc ${directory}/proc`,
        `mount --bind -o ro ${baseImage('busybox')} ${directory}/base`,
        // Unlike after chroot, the kernel allows user namespaces.
        `cd ${directory} && pivot_root . mnt && umount --lazy /mnt`,
      ];
      const user = uid === undefined ? '' : `setpriv --reuid ${uid} --regid ${uid} --clear-groups`;
      const start = `exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home-${uid ?? 0} ${user} sh -ec "$1"`;
      const command = [...mounts, 'cd /', start].join(' && ');
      return runProcess('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', command, 'sh', script]);
    },
  };
}
