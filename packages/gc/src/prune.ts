import { rmSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { isDigest, type Digest } from '@tbuild/oci';
import {
  announceRemoval,
  createDiskUsage,
  emptyTrash,
  freedBy,
  listDirectory,
  liveLeases,
  moveToTrash,
  removeUnused,
  type StoreLayout,
  unfinishedMarkers,
} from '@tbuild/store';
import { bytesOf, listCacheEntries } from './cache-entries.ts';
import type { CacheEntry } from './cache-entry.ts';
import { cachedBlobs, imageBlobs, namedBlobs } from './needed-blobs.ts';
import { removeAllMemories, removeLostVariants, removeOldMemories } from './remove-memories.ts';
import { oldestUse, sweepLeftovers } from './sweep-leftovers.ts';
import type { GcStore } from './gc-store.ts';

export interface PruneOptions {
  /** The whole build cache, not only what nothing refers to. */
  readonly all?: boolean;
  /** What was used in this many milliseconds stays. */
  readonly unusedFor?: number;
  /** Least recently used goes first until the cache holds at most this many bytes. */
  readonly maxUsedSpace?: number;
}

/** What was removed. */
export interface Pruned {
  readonly bytes: number;
  readonly steps: number;
}

/**
 * Removes blobs and unfinished work that nothing refers to, images without a name, and of the build cache what the options choose;
 * named images stay. Beside running builds nothing goes that was used or made since the oldest of them began. Builds that
 * begin while things are removed wait until that is over.
 */
export async function pruneStore(stores: GcStore, options: PruneOptions): Promise<Pruned> {
  const { store } = stores;
  const started = stores.now();
  sweepLeftovers(store, started);
  const discarded = createDiskUsage().measure(store.trash).own;
  // What takes long delays nobody: builds may begin until the choice is made.
  const choice = { entries: await chooseEntries(stores, options), started };
  const { bytes, steps } = await removeChosen(choice, options, stores);
  emptyTrash(store);
  return { bytes: bytes + discarded, steps };
}

interface Choice {
  readonly entries: readonly CacheEntry[];
  /** When choosing began. */
  readonly started: number;
}

async function removeChosen({ entries, started }: Choice, options: PruneOptions, stores: GcStore): Promise<Pruned> {
  const { store } = stores;
  // From here on no build begins that is not seen below.
  using _removal = announceRemoval(store);
  const now = stores.now();
  const isIdle = liveLeases(store, now).length === 0;
  const limit = Math.min(started, oldestUse(store, now));
  const { maxUsedSpace, unusedFor = 0 } = options;
  if (maxUsedSpace === undefined) dropUnnamedImages(stores, Math.min(limit, started - unusedFor));
  const removed = await removeEntries(entries, {
    options,
    stores,
    limit,
    takesTrees: isIdle && !hasRecordsSince(store, started),
  });
  let { bytes } = removed;
  if (options.all === true && isIdle) bytes += removeAllMemories(stores);
  if (options.unusedFor !== undefined)
    bytes += await removeOldMemories(stores, Math.min(limit, started - options.unusedFor));
  bytes += await removeBlobs(stores, {
    removed: removed.blobs,
    keepCached: options.all !== true || !isIdle,
    limit: isIdle ? Infinity : limit,
  });
  await removeLostVariants(stores);
  if (isIdle) removeUnnamed(store, limit);
  return { bytes, steps: removed.steps };
}

/** Drops images without a name that were stored before `limit` (milliseconds), the newest `spared` of them aside. */
function dropUnnamedImages({ refs }: GcStore, limit: number, spared = 0): void {
  for (const { target, keptAt } of refs.unnamed().slice(spared)) if (keptAt < limit) refs.drop(target.digest);
}

/** Whether a build has saved a step since: it may stand on a tree that nothing stood on before. */
function hasRecordsSince({ records }: StoreLayout, since: number): boolean {
  return (statSync(records, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since;
}

/** The entries that the options may let go. */
async function chooseEntries(
  stores: GcStore,
  { all, unusedFor, maxUsedSpace }: PruneOptions,
): Promise<readonly CacheEntry[]> {
  if (all !== true && unusedFor === undefined && maxUsedSpace === undefined) return [];
  return listCacheEntries(stores, createDiskUsage(), namedBlobs(stores));
}

interface RemovedEntries extends Pruned {
  readonly blobs: ReadonlySet<Digest>;
}

interface Removing {
  readonly options: PruneOptions;
  readonly stores: GcStore;
  /** What was used then or later stays. */
  readonly limit: number;
  /** Whether trees without a record can go: nothing says when they were used last. */
  readonly takesTrees: boolean;
}

/** Least recently used first; each before what it stands on. */
async function removeEntries(entries: readonly CacheEntry[], removing: Removing): Promise<RemovedEntries> {
  const { options, stores, limit } = removing;
  const { unusedFor, maxUsedSpace } = options;
  const blobs = new Set<Digest>();
  let [bytes, steps] = [0, 0];
  const oldest = unusedFor === undefined ? limit : Math.min(limit, stores.now() - unusedFor);
  const tooMuch = maxUsedSpace === undefined ? Infinity : bytesOf(entries) - maxUsedSpace;
  // The newest may be the image of the build that just ended, whose ID was its whole output.
  if (maxUsedSpace !== undefined && tooMuch > 0) dropUnnamedImages(stores, oldest, 1);
  const needed = new Set<string>();
  for (const entry of entries) {
    if (bytes >= tooMuch || entry.usedAt >= oldest) break;
    if (needed.has(entry.name) || !(await removeEntry(entry, removing))) {
      for (const name of entry.below) needed.add(name);
      continue;
    }
    for (const blob of entry.blobs) blobs.add(blob);
    bytes += freedBy(entry.usage);
    if (entry.kind === 'step') steps++;
  }
  return { bytes, steps, blobs };
}

/** The record before the tree, so that no build finds a record whose tree is about to go. */
async function removeEntry(
  { name, kind, keys, path }: CacheEntry,
  { stores: { store, cache, snapshots }, limit, takesTrees }: Removing,
): Promise<boolean> {
  if (kind === 'tree' && !takesTrees) return false;
  if (kind === 'cache mount') return removeMount(store.cacheMount(name), store, limit);
  if (path !== undefined) return removeUnused(path, store, limit);
  for (const key of keys) if (!cache.deleteUnused(key, limit)) return false;
  await snapshots.remove(name);
  rmSync(store.layer(`sha256:${name}`), { force: true });
  moveToTrash(store, store.digestsOf(`sha256:${name}`));
  return true;
}

function removeMount(directory: string, store: StoreLayout, limit: number): boolean {
  const usedAt = statSync(join(directory, 'used'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return usedAt < limit && moveToTrash(store, directory);
}

interface RemovingBlobs {
  readonly removed: ReadonlySet<Digest>;
  readonly keepCached: boolean;
  /** Without an end where no build runs. */
  readonly limit: number;
}

/** Beside a running build only what belonged to removed entries, and no build has found since: others may be in use without a sign. */
async function removeBlobs(stores: GcStore, { removed, keepCached, limit }: RemovingBlobs): Promise<number> {
  const { store, content } = stores;
  const needed = new Set([...imageBlobs(stores), ...(keepCached ? cachedBlobs(stores) : [])]);
  const disk = createDiskUsage();
  let bytes = 0;
  for await (const { digest } of content.list()) {
    if (needed.has(digest) || (!removed.has(digest) && limit !== Infinity)) continue;
    const path = content.path(digest);
    // Those of removed entries were counted with them.
    const own = removed.has(digest) ? 0 : disk.measure(path).own;
    if (isUsedBlob(path, limit) || !removeUnused(path, store, limit, timeRead)) continue;
    bytes += own;
  }
  return bytes;
}

/** Asked before the blob is taken away to be looked at, since a build that uses it may read it at any time. */
function isUsedBlob(path: string, limit: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && timeRead(stats) >= limit;
}

/** Builds mark the blobs that they find (`LocalStore.use`). */
function timeRead({ atimeMs }: Stats): number {
  return atimeMs;
}

/** Files that a killed process did not come to give their name. */
function removeUnnamed(store: StoreLayout, limit: number): void {
  const unnamed = [store.layers, store.records, store.resolved, store.http].flatMap((directory) =>
    listDirectory(directory).flatMap((name) => (isDigest(`sha256:${name}`) ? [] : [join(directory, name)])),
  );
  const markers = unfinishedMarkers(store);
  for (const path of [...unnamed, ...markers]) {
    const changedAt = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
    if (changedAt !== undefined && changedAt < limit) moveToTrash(store, path);
  }
}
