import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';

type Trash = Pick<StoreLayout, 'trash'>;

/**
 * Takes `path` away at once by renaming it into the store's `trash/`; the slow deletion is left to
 * {@link emptyTrash}. Returns false when it was not there.
 */
export function moveToTrash({ trash }: Trash, path: string): boolean {
  // Most often it is not, and an error costs more than the question.
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

/** Deletes what lies in the store's `trash/`, until done or `isOver` says so; safe beside other processes. */
export function emptyTrash({ trash }: Trash, isOver: () => boolean = () => false): void {
  for (const name of listDirectory(trash)) {
    if (isOver()) return;
    rmSync(join(trash, name), { recursive: true, force: true });
  }
}
