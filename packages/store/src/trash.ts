import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';

type Trash = Pick<StoreLayout, 'trash'>;

/**
 * Removes `path` by renaming it into the store's `trash/`, which {@link emptyTrash} deletes. Returns false when it did not
 * exist. Deletes it at once when the disk is too full for a first `trash/`.
 */
export function moveToTrash({ trash }: Trash, path: string): boolean {
  // Usually it does not exist, and an exception costs more than lstat.
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  try {
    makeDirectory(trash);
    renameSync(path, join(trash, randomBytes(8).toString('hex')));
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    if (!['ENOSPC', 'EDQUOT'].includes(errnoName(error) ?? '') || existsSync(trash)) throw error;
    rmSync(path, { recursive: true, force: true });
    return true;
  }
}

/** Moves unfinished work to the trash. Where the disk refuses that, leaves it to the sweep, which follows dead builds. */
export function discardUnfinished(store: Trash, path: string): void {
  try {
    moveToTrash(store, path);
  } catch {
    // A clean-up must not hide what failed before.
  }
}

/** As many deletions as Node's threads do at a time. Each waits for the disk: one after the other takes four times as long. */
const AT_A_TIME = 4;

/** Deletes the contents of the store's `trash/`. Safe beside other processes. */
export async function emptyTrash({ trash }: Trash): Promise<void> {
  const names = listDirectory(trash).values();
  const deleteRest = async (): Promise<void> => {
    for (const name of names) await rm(join(trash, name), { recursive: true, force: true });
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, deleteRest));
}
