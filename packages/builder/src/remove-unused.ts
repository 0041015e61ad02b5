import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, statSync } from 'node:fs';
import { moveToTrash } from '@tbuild/snapshot';
import { errnoName } from '@tbuild/errors';

/**
 * Takes a file or directory away unless it was touched at or after `limit` (milliseconds), however closely that races: it is
 * looked at after it has lost its name. Whether it is gone.
 */
export function removeUnused(path: string, root: string, limit: number): boolean {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return true;
    throw error;
  }
  const isUsed = statSync(aside).mtimeMs >= limit;
  if (isUsed && !existsSync(path)) {
    renameSync(aside, path);
    return false;
  }
  moveToTrash(root, aside);
  return !isUsed;
}
