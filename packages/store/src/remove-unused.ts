import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, renameSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import { renameIfThere } from './atomic-file.ts';
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
 * unnoticed, to where a prune finds what killed processes left. Returns whether it is gone.
 */
export function removeUnused(
  path: string,
  store: Pick<StoreLayout, 'temporary' | 'trash'>,
  { limit, usedAt = timeWritten }: UnusedOptions,
): boolean {
  const aside = join(store.temporary, randomUUID());
  if (!renameIfThere(path, aside) && !(makeDirectory(store.temporary), renameIfThere(path, aside))) return true;
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
