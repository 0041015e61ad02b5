import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';

/**
 * Removes a directory of tbuild's own; does nothing if it is missing. `rmSync` of Node 20 throws and catches an error
 * for each directory, which is slow.
 */
export function removeTree(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) unlinkSync(path);
    // Overlay work directories have modes that forbid reading them.
    else if (!removeIfEmpty(path)) removeTree(path);
  }
  rmdirSync(directory);
}

/** Removes a directory if it is empty, and returns whether it did. */
export function removeIfEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}
