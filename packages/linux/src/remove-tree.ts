import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';

/** Removes a directory of our own; nothing when it is not there. `rmSync` of Node 20 throws an error inside for each directory. */
export function removeTree(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) unlinkSync(path);
    // Overlay's have modes that forbid reading them.
    else if (!removeIfEmpty(path)) removeTree(path);
  }
  rmdirSync(directory);
}

/** Whether the directory was empty, and is gone. */
export function removeIfEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}
