import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, statSync, type Stats } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import type { StoreLayout } from './layout.ts';
import { moveToTrash } from './trash.ts';

/**
 * Removes a file or directory unless it was used at or after `limit` (milliseconds). Renames it before it looks at its time, which
 * `usedAt` reads from its stats, so that no use goes unnoticed. Returns whether it is gone.
 */
export function removeUnused(
  path: string,
  store: Pick<StoreLayout, 'trash'>,
  limit: number,
  usedAt = timeWritten,
): boolean {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return true;
    throw error;
  }
  const isUsed = usedAt(statSync(aside)) >= limit;
  if (isUsed && !existsSync(path)) {
    renameSync(aside, path);
    return false;
  }
  moveToTrash(store, aside);
  return !isUsed;
}

function timeWritten({ mtimeMs }: Stats): number {
  return mtimeMs;
}
