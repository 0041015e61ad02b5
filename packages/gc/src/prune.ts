import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '@tbuild/oci';
import {
  announceRemoval,
  createDiskUsage,
  emptyTrash,
  listDirectory,
  liveLeases,
  modifiedAt,
  moveToTrash,
  openLock,
  type StoreLayout,
  unfinishedMarkers,
} from '@tbuild/store';
import { bytesOf, listCacheEntries } from './cache-entries.ts';
import type { CacheEntry } from './cache-entry.ts';
import { bytesOver, type CacheLimits, isLimited } from './cache-limits.ts';
import { entryDescriptions } from './entry-descriptions.ts';
import type { GcStore } from './gc-store.ts';
import { imageBlobs, namedBlobs } from './needed-blobs.ts';
import { listWithSizes } from './recorded-usage.ts';
import { removeBlobs } from './remove-blobs.ts';
import { removeEntries, type RemovedEntries } from './remove-entries.ts';
import { removeAllMemories, removeLostNotes, removeLostVariants, removeOldMemories } from './remove-memories.ts';
import { oldestUse, sweepLeftovers } from './sweep-leftovers.ts';

/** With limits, removes the least recently used entries until the cache is within them. */
export interface PruneOptions extends CacheLimits {
  /** Removes the whole build cache, not only what nothing refers to. */
  readonly all?: boolean;
  /** Keeps entries that were used in this many milliseconds. */
  readonly unusedFor?: number;
  /** Removes only the entries of the cache that it chooses, and no image without a name. */
  readonly chooses?: (entry: Pick<CacheEntry, 'name' | 'kind' | 'description'>) => boolean;
  /** Keeps images without a name. */
  readonly keepUnnamed?: boolean;
}

/** What a prune has removed. */
export interface Pruned {
  readonly bytes: number;
  readonly steps: number;
}

/**
 * Removes unreferenced blobs, unfinished work, images without a name, and the entries of the build cache that the options
 * choose. Named images stay. Beside running builds nothing is removed that was used or made since the oldest of them began.
 * Builds that begin during the removal wait until it ends.
 */
export async function pruneStore(stores: GcStore, options: PruneOptions): Promise<Pruned> {
  const { store } = stores;
  const started = stores.now();
  sweepLeftovers(store, started);
  const discarded = createDiskUsage().measure(store.trash).own;
  // Choosing takes long and delays nobody: builds may begin until it is done.
  const choice = { entries: await chooseEntries(stores, options), started };
  const { bytes, steps } = await removeChosen(choice, options, stores);
  await emptyTrash(store);
  return { bytes: bytes + discarded, steps };
}

/**
 * Prunes the build cache until it is within its limits, or nothing more may go. Leaves that to another process that does the
 * same, so that builds in quick succession do not leave a row of processes that wait.
 */
export async function keepWithin(limits: CacheLimits, stores: GcStore): Promise<void> {
  using lock = openLock(stores.store.sizesLock);
  if (!lock.tryTake('exclusive')) return;
  let removed = Infinity;
  // A build may have ended since, whose process left the work to this one.
  while (removed > 0 && bytesOver(bytesOf(await listWithSizes(stores)), limits, stores.store) > 0)
    removed = (await pruneStore(stores, limits)).bytes;
}

interface Choice {
  readonly entries: readonly CacheEntry[];
  /** When choosing began. */
  readonly started: number;
}

async function removeChosen({ entries, started }: Choice, options: PruneOptions, stores: GcStore): Promise<Pruned> {
  const { store } = stores;
  // Every build that begins from here on has a lease that is seen below.
  using _removal = announceRemoval(store);
  const now = stores.now();
  const isIdle = liveLeases(store, now).length === 0;
  const limit = Math.min(started, oldestUse(store, now));
  const { unusedFor = 0 } = options;
  if (!isLimited(options) && options.keepUnnamed !== true && options.chooses === undefined)
    dropUnnamedImages(stores, Math.min(limit, started - unusedFor));
  const takesTrees = isIdle && !hasRecordsSince(store, started);
  // Before a removal changes the time of a record of which such a file may be another link.
  if (isIdle) removeUnnamed(store, limit);
  const removed = await removeCache(entries, stores, { options, limit, takesTrees });
  let { bytes } = removed;
  if (options.all === true && isIdle) bytes += removeAllMemories(stores);
  if (options.unusedFor !== undefined)
    bytes += await removeOldMemories(stores, Math.min(limit, started - options.unusedFor));
  bytes += await removeBlobs(stores, {
    removed: removed.blobs,
    // Others may be in use by a running build without a sign.
    onlyRemoved: !isIdle,
    keepCached: options.all !== true || !isIdle,
    limit: isIdle ? Infinity : limit,
  });
  await removeLostVariants(stores);
  if (isIdle && options.all === true) await removeLostNotes(stores);
  return { bytes, steps: removed.steps };
}

interface Removal {
  readonly options: PruneOptions;
  readonly limit: number;
  readonly takesTrees: boolean;
}

async function removeCache(
  entries: readonly CacheEntry[],
  stores: GcStore,
  { options, limit, takesTrees }: Removal,
): Promise<RemovedEntries> {
  const { unusedFor } = options;
  const oldest = unusedFor === undefined ? limit : Math.min(limit, stores.now() - unusedFor);
  const enough = isLimited(options) ? bytesOver(bytesOf(entries), options, stores.store) : Infinity;
  // The newest may be the image of the build that just ended, whose ID was its whole output.
  if (isLimited(options) && enough > 0 && options.chooses === undefined) dropUnnamedImages(stores, oldest, 1);
  return removeEntries(entries, stores, { limit: oldest, takesTrees, enough, chooses: choosing(options, stores) });
}

function choosing({ chooses }: PruneOptions, { store }: GcStore): ((entry: CacheEntry) => boolean) | undefined {
  if (chooses === undefined) return undefined;
  const describe = entryDescriptions(store);
  return (entry) => chooses({ ...entry, description: describe(entry) });
}

/** Drops images without a name that were stored before `limit` (milliseconds), except the newest `spared`. */
function dropUnnamedImages({ refs }: GcStore, limit: number, spared = 0): void {
  const old = refs.unnamed().flatMap(({ target, keptAt }, at) => (at >= spared && keptAt < limit ? target.digest : []));
  if (old.length > 0) refs.drop(old);
}

/** Reports whether a build has saved a step since: it may stand on a tree that nothing stood on before. */
function hasRecordsSince({ records }: StoreLayout, since: number): boolean {
  return modifiedAt(records) >= since;
}

/** Returns the entries that the options allow to remove. */
async function chooseEntries(stores: GcStore, options: PruneOptions): Promise<readonly CacheEntry[]> {
  const asksForEntries = options.all === true || options.unusedFor !== undefined || options.chooses !== undefined;
  if (!asksForEntries && !isLimited(options)) return [];
  if (isLimited(options) && options.chooses === undefined) return listWithSizes(stores);
  const named = options.chooses === undefined ? namedBlobs(stores) : imageBlobs(stores);
  return listCacheEntries(stores, { disk: createDiskUsage(), named });
}

/** Removes files that a killed process did not rename. */
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
