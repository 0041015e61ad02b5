import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';

type Trash = Pick<StoreLayout, 'trash'>;

/** Removes `path` by renaming it into the store's `trash/`, which {@link emptyTrash} deletes. Returns false when it did not exist. */
export function moveToTrash({ trash }: Trash, path: string): boolean {
  // Usually it does not exist, and an exception costs more than lstat.
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  try {
    makeDirectory(trash);
    renameSync(path, join(trash, randomBytes(8).toString('hex')));
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Deletes the contents of the store's `trash/` until `isOver` returns true. Safe beside other processes. */
export function emptyTrash({ trash }: Trash, isOver: () => boolean = () => false): void {
  for (const name of listDirectory(trash)) {
    if (isOver()) return;
    rmSync(join(trash, name), { recursive: true, force: true });
  }
}
