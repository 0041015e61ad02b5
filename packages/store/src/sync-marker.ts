import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { errnoName } from '@tbuild/errors';
import { basename, join } from 'node:path';
import { readText } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';

/**
 * `ROOT/synced` says how much of a store survives when the machine stops without warning: its time is when a sync began
 * that has ended since, so that everything older is on disk, and it holds the id of the machine's boot in which it was written.
 */
export interface SyncMarker {
  readonly boot: string;
  /** Milliseconds since the epoch; what was written then or later may not be on disk. */
  readonly syncedAt: number;
}

/** The id of this boot of the machine, undefined where the kernel does not tell. */
export function readBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Whether the machine has not stopped since the marker was written; true where nobody can tell. */
export function isOfThisBoot(store: StoreLayout): boolean {
  const boot = readBoot();
  return boot === undefined || readSyncMarker(store)?.boot === boot;
}

/** The store's marker; undefined when there is none, or one that says nothing. */
export function readSyncMarker(store: StoreLayout): SyncMarker | undefined {
  const file = store.syncMarker;
  const boot = readText(file)?.trim();
  const syncedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return boot === undefined || boot === '' || syncedAt === undefined ? undefined : { boot, syncedAt };
}

/** Says of an earlier time that all was on disk then. With `first`, only where there is no marker; false when there is. */
export function writeSyncMarker(
  store: StoreLayout,
  { boot, syncedAt }: SyncMarker,
  { first = false }: { readonly first?: boolean } = {},
): boolean {
  const file = store.syncMarker;
  const temporary = `${file}.${randomUUID()}`;
  try {
    writeFileSync(temporary, `${boot}\n`);
    utimesSync(temporary, syncedAt / 1000, syncedAt / 1000);
    if (first) linkSync(temporary, file);
    else renameSync(temporary, file);
    return true;
  } catch (error) {
    if (errnoName(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** The temporary files of markers whose writers were killed. */
export function unfinishedMarkers({ root, syncMarker }: StoreLayout): readonly string[] {
  const start = `${basename(syncMarker)}.`;
  return listDirectory(root).flatMap((name) =>
    name.startsWith(start) && !name.endsWith('.lock') ? [join(root, name)] : [],
  );
}

/** A build that makes anything worth keeping adds an entry to one of these. */
const KEPT = ['records', 'snapshots', 'layers', 'blobs'] as const;

/** Whether the store has what the last sync did not see. */
export function needsSync(store: StoreLayout): boolean {
  const timeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const syncedAt = timeOf(store.syncMarker);
  return KEPT.some((name) => timeOf(store[name]) > syncedAt);
}
