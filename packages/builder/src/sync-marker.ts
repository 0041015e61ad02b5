import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { readNote } from './note-file.ts';

/**
 * `ROOT/synced` says how much of a store survives when the machine stops without warning: its time is when a sync began
 * that has ended since, so that everything older is on disk, and it holds the id of the machine's boot in which it was written.
 */
export interface SyncMarker {
  readonly boot: string;
  /** Milliseconds since the epoch; what was written then or later may not be on disk. */
  readonly syncedAt: number;
}

/** The name of the marker in the store. */
export const SYNC_MARKER = 'synced';

/** The id of this boot of the machine, undefined where the kernel does not tell. */
export function readBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Whether the machine has not stopped since the marker was written; true where nobody can tell. */
export function isOfThisBoot(root: string): boolean {
  const boot = readBoot();
  return boot === undefined || readSyncMarker(root)?.boot === boot;
}

/** The store's marker; undefined when there is none, or one that says nothing. */
export function readSyncMarker(root: string): SyncMarker | undefined {
  const file = join(root, SYNC_MARKER);
  const boot = readNote(file)?.trim();
  const syncedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return boot === undefined || boot === '' || syncedAt === undefined ? undefined : { boot, syncedAt };
}

/** Says of an earlier time that all was on disk then. With `first`, only where there is no marker; false when there is. */
export function writeSyncMarker(
  root: string,
  { boot, syncedAt }: SyncMarker,
  { first = false }: { readonly first?: boolean } = {},
): boolean {
  const file = join(root, SYNC_MARKER);
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

/** Where something new appears whenever a build has made something that is worth keeping. */
const KEPT = ['records', 'snapshots', 'layers', 'blobs/sha256'];

/** Whether the store has what the last sync did not see. */
export function needsSync(root: string): boolean {
  const timeOf = (name: string): number => statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const syncedAt = timeOf(SYNC_MARKER);
  return KEPT.some((name) => timeOf(name) > syncedAt);
}
