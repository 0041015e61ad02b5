import { existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';

/** Removes a directory of our own; nothing when it is not there. `rmSync` of Node 20 throws an error inside for each directory. */
export function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) unlinkSync(path);
    else if (!removeEmpty(path)) removeTree(path);
  }
  rmdirSync(directory);
}

/** An empty one may have a mode that forbids reading it, as overlay's do. */
function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}
