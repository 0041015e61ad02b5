import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { modifiedAt, readText } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';

/**
 * The file `ROOT/synced`: everything that is older than its mtime is on disk, because a sync that began then has ended. It holds the ID
 * of the boot in which it was written.
 */
export interface SyncMarker {
  readonly boot: string;
  /** Milliseconds since the epoch. Entries that were written then or later may not be on disk. */
  readonly syncedAt: number;
}

/** Returns the ID of this boot, or undefined if the kernel does not provide it. */
export function readBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Reports whether the marker was written in this boot. Returns true if the boot is not known. */
export function isOfThisBoot(store: StoreLayout): boolean {
  const boot = readBoot();
  return boot === undefined || readSyncMarker(store)?.boot === boot;
}

/** Returns the store's marker, or undefined when it is missing or empty. */
export function readSyncMarker(store: StoreLayout): SyncMarker | undefined {
  const file = store.syncMarker;
  const boot = readText(file)?.trim();
  const syncedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return boot === undefined || boot === '' || syncedAt === undefined ? undefined : { boot, syncedAt };
}

/** Writes the marker. With `first`, returns false if the store has one. */
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

/** Returns the temporary files of markers whose writers were killed. */
export function unfinishedMarkers({ root, syncMarker }: StoreLayout): readonly string[] {
  const start = `${basename(syncMarker)}.`;
  return listDirectory(root).flatMap((name) =>
    name.startsWith(start) && !name.endsWith('.lock') ? [join(root, name)] : [],
  );
}

/** Every build that makes new entries adds one to these directories. */
const KEPT = ['records', 'snapshots', 'layers', 'blobs'] as const;

/** Reports whether the store has entries that are younger than the last sync. */
export function needsSync(store: StoreLayout): boolean {
  const syncedAt = modifiedAt(store.syncMarker);
  return KEPT.some((name) => modifiedAt(store[name]) > syncedAt);
}
