import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from '../support/requirements.ts';
import { runChecked } from '../support/run-process.ts';
import { scratchDirectory } from '../support/scratch.ts';

/**
 * Mounts a journaled ext4 for all peers: without a journal, creating files after a mass delete is several times
 * slower. Falls back to a plain directory where it cannot mount.
 */
export async function stateDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const directory = scratchDirectory('bench');
  const path = join(directory, 'state');
  mkdirSync(path);
  const remove = () => runChecked('rm', ['-rf', directory]);
  if (!isRoot) return { path, [Symbol.asyncDispose]: async () => void (await remove()) };
  const image = join(directory, 'ext4.img');
  await runChecked('truncate', ['-s', '40G', image]);
  await runChecked('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0', image]);
  await runChecked('mount', ['-o', 'loop,noatime', image, path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runChecked('umount', ['-R', '-l', path]);
      await remove();
    },
  };
}
