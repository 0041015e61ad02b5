import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { moveToTrash, sweepAbandoned } from '@tbuild/snapshot';
import { liveLeases } from './lease.ts';
import { namesIn } from './names-in.ts';

/** Moves to the trash what killed builds left half made; nothing that a running build may have made. */
export function sweepLeftovers(root: string, now: number): void {
  const limit = oldestUse(root, now);
  for (const place of ['run', 'tmp']) {
    for (const name of namesIn(join(root, place))) {
      const path = join(root, place, name);
      const changedAt = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs;
      if (changedAt !== undefined && changedAt < limit) moveToTrash(root, path);
    }
  }
  if (existsSync(join(root, 'snapshots', '.active'))) sweepAbandoned(root, limit);
}

/** What was made or used since this time (milliseconds) may be in use by a build of another process. */
export function oldestUse(root: string, now: number): number {
  return Math.min(now, ...liveLeases(root, now).map(({ since }) => since));
}
