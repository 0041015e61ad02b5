import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '@tbuild/oci';
import { freedBy, modifiedAt, moveToTrash, openLockIfThere, removeUnused, type StoreLayout } from '@tbuild/store';
import type { CacheEntry } from './cache-entry.ts';
import type { GcStore } from './gc-store.ts';

export interface RemoveEntriesOptions {
  /** Milliseconds: entries that were used then or later stay. */
  readonly limit: number;
  /** Removes trees without a record too. Nothing says when they were used last. */
  readonly takesTrees: boolean;
  /** Decides whether an entry may go. Default: all may. */
  readonly chooses?: (entry: CacheEntry) => boolean;
  /** Stops once so many bytes are free. */
  readonly enough?: number;
}

export interface RemovedEntries {
  readonly bytes: number;
  readonly steps: number;
  readonly entries: number;
  readonly blobs: ReadonlySet<Digest>;
}

/**
 * Removes entries, which are listed least recently used first and each before the entries below it. Keeps entries that
 * another one needs which stays.
 */
export async function removeEntries(
  listed: readonly CacheEntry[],
  stores: GcStore,
  { limit, takesTrees, chooses = () => true, enough = Infinity }: RemoveEntriesOptions,
): Promise<RemovedEntries> {
  const blobs = new Set<Digest>();
  let [bytes, steps, entries] = [0, 0, 0];
  const needed = new Set<string>();
  for (const entry of listed) {
    if (bytes >= enough || entry.usedAt >= limit) break;
    const mayGo = !needed.has(entry.name) && (entry.kind !== 'tree' || takesTrees) && chooses(entry);
    if (!mayGo || !(await removeEntry(entry, stores, limit))) {
      for (const name of entry.below) needed.add(name);
      continue;
    }
    for (const blob of entry.blobs) blobs.add(blob);
    bytes += freedBy(entry.usage);
    entries++;
    if (entry.kind === 'step') steps++;
  }
  return { bytes, steps, entries, blobs };
}

/** Removes the record before the tree, so that no build finds a record whose tree is about to go. */
async function removeEntry(
  { name, kind, keys, path }: CacheEntry,
  { store, cache, snapshots }: GcStore,
  limit: number,
): Promise<boolean> {
  if (kind === 'cache mount') return removeMount(store.cacheMount(name), store, limit);
  if (path !== undefined) return removeUnused(path, store, { limit });
  for (const key of keys) if (!cache.deleteUnused(key, limit)) return false;
  await snapshots.remove(name);
  rmSync(store.layer(`sha256:${name}`), { force: true });
  moveToTrash(store, store.digestsOf(`sha256:${name}`));
  return true;
}

/** The lock keeps steps and exports of caches out, which take it before they use the directory. */
function removeMount(directory: string, store: StoreLayout, limit: number): boolean {
  const used = join(directory, 'used');
  if (modifiedAt(used) >= limit) return false;
  using lock = openLockIfThere(join(directory, 'lock'));
  return lock?.tryTake('exclusive') === true && modifiedAt(used) < limit && moveToTrash(store, directory);
}
