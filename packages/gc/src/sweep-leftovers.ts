import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { sweepAbandoned } from '@tbuild/snapshot';
import { listDirectory, liveLeases, moveToTrash, type StoreLayout } from '@tbuild/store';

/** Moves the unfinished work of killed builds to the trash. Keeps everything that a running build may have made. */
export function sweepLeftovers(store: StoreLayout, now: number): void {
  const limit = oldestUse(store, now);
  for (const place of [store.run, store.temporary]) {
    for (const name of listDirectory(place)) {
      const path = join(place, name);
      const changedAt = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs;
      if (changedAt !== undefined && changedAt < limit) moveToTrash(store, path);
    }
  }
  sweepAbandoned(store, limit);
}

/** Returns a time in milliseconds. Entries made or used since then may be in use by a build of another process. */
export function oldestUse(store: StoreLayout, now: number): number {
  return Math.min(now, ...liveLeases(store, now).map(({ since }) => since));
}
