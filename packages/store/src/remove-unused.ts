import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, renameSync, type Stats } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import type { StoreLayout } from './layout.ts';
import { moveToTrash } from './trash.ts';

export interface UnusedOptions {
  /** Milliseconds since the epoch: what was used since then stays. */
  readonly limit: number;
  /** Reads the time of the last use from stats. Defaults to the modification time. */
  usedAt?(stats: Stats): number;
}

/**
 * Removes a file or directory unless it was used since `limit`. Renames it before it looks at its time, so that no use goes
 * unnoticed. Returns whether it is gone.
 */
export function removeUnused(
  path: string,
  store: Pick<StoreLayout, 'trash'>,
  { limit, usedAt = timeWritten }: UnusedOptions,
): boolean {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return true;
    throw error;
  }
  const isUsed = usedAt(lstatSync(aside)) >= limit;
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
