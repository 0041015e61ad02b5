import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, promises, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { renameIfThere } from './atomic-file.ts';
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
  const place = join(trash, randomBytes(8).toString('hex'));
  try {
    return renameIfThere(path, place) || (makeDirectory(trash), renameIfThere(path, place));
  } catch (error) {
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

/** So many processes delete at a time. Each waits for the disk: one after the other takes four times as long. */
const AT_A_TIME = 4;
/** So many names fit into one argument list with ease. */
const NAMES = 5000;

/** Deletes the contents of the store's `trash/`. Safe beside other processes. */
export async function emptyTrash({ trash }: Trash): Promise<void> {
  const names = listDirectory(trash);
  const size = Math.max(1, Math.min(Math.ceil(names.length / AT_A_TIME), NAMES));
  const parts = Array.from({ length: Math.ceil(names.length / size) }, (_, at) =>
    names.slice(at * size, (at + 1) * size),
  ).values();
  const deleteRest = async (): Promise<void> => {
    for (const part of parts) await deleteByProgram(trash, part);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, deleteRest));
  // What is still there cannot be deleted, or nobody has rm.
  const left = new Set(listDirectory(trash));
  for (const name of names) if (left.has(name)) await promises.rm(join(trash, name), { recursive: true, force: true });
}

/** Node's own recursive deletion takes several times the processor time, most of it between its threads. */
function deleteByProgram(trash: string, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile('rm', ['-rf', '--', ...names], { cwd: trash }, () => resolve());
  });
}
