import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest, type Digest } from '@tbuild/oci';
import {
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
import type { Worker } from './worker.ts';

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
 * named images stay. Beside running builds nothing goes that was used or made since the oldest of them began.
 */
export async function pruneStore(worker: Worker, options: PruneOptions): Promise<Pruned> {
  const { store } = worker;
  const started = worker.now();
  const isIdle = liveLeases(store, started).length === 0;
  const limit = oldestUse(store, started);
  sweepLeftovers(store, started);
  const discarded = createDiskUsage().measure(store.trash).own;
  const { maxUsedSpace, unusedFor = 0 } = options;
  if (maxUsedSpace === undefined) dropUnnamedImages(worker, Math.min(limit, started - unusedFor));
  const removed = await removeEntries(worker, options, limit);
  let bytes = removed.bytes + discarded;
  if (options.all === true && isIdle) bytes += removeAllMemories(worker);
  if (options.unusedFor !== undefined)
    bytes += await removeOldMemories(worker, Math.min(limit, started - options.unusedFor));
  bytes += await removeBlobs(worker, { removed: removed.blobs, keepCached: options.all !== true || !isIdle });
  await removeLostVariants(worker);
  if (isIdle) removeUnnamed(store, limit);
  emptyTrash(store);
  return { bytes, steps: removed.steps };
}

interface RemovedEntries extends Pruned {
  readonly blobs: ReadonlySet<Digest>;
}

/** Drops images without a name that were stored before `limit` (milliseconds), the newest `spared` of them aside. */
function dropUnnamedImages({ refs }: Worker, limit: number, spared = 0): void {
  for (const { target, keptAt } of refs.unnamed().slice(spared)) if (keptAt < limit) refs.drop(target.digest);
}

/** Least recently used first; each before what it stands on. */
async function removeEntries(
  worker: Worker,
  { all, unusedFor, maxUsedSpace }: PruneOptions,
  limit: number,
): Promise<RemovedEntries> {
  const blobs = new Set<Digest>();
  let [bytes, steps] = [0, 0];
  if (all !== true && unusedFor === undefined && maxUsedSpace === undefined) return { bytes, steps, blobs };
  const entries = await listCacheEntries(worker, createDiskUsage(), namedBlobs(worker));
  const oldest = unusedFor === undefined ? limit : Math.min(limit, worker.now() - unusedFor);
  const tooMuch = maxUsedSpace === undefined ? Infinity : bytesOf(entries) - maxUsedSpace;
  // The newest may be the image of the build that just ended, whose ID was its whole output.
  if (maxUsedSpace !== undefined && tooMuch > 0) dropUnnamedImages(worker, oldest, 1);
  for (const entry of entries) {
    if (bytes >= tooMuch || entry.usedAt >= oldest) break;
    if (!(await removeEntry(entry, worker, limit))) continue;
    for (const blob of entry.blobs) blobs.add(blob);
    bytes += freedBy(entry.usage);
    if (entry.kind === 'step') steps++;
  }
  return { bytes, steps, blobs };
}

/** The record before the tree, so that no build finds a record whose tree is about to go. */
async function removeEntry(
  { name, kind, keys, path }: CacheEntry,
  { store, cache, snapshots, now }: Worker,
  limit: number,
): Promise<boolean> {
  // A tree without a record may be in use without a sign.
  if (kind === 'tree' && liveLeases(store, now()).length > 0) return false;
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

/** Beside a running build only what belonged to removed entries: others it may have found already. */
async function removeBlobs(
  worker: Worker,
  { removed, keepCached }: { readonly removed: ReadonlySet<Digest>; readonly keepCached: boolean },
): Promise<number> {
  const needed = new Set([...imageBlobs(worker), ...(keepCached ? cachedBlobs(worker) : [])]);
  const disk = createDiskUsage();
  let bytes = 0;
  for await (const { digest } of worker.content.list()) {
    if (needed.has(digest) || (!removed.has(digest) && liveLeases(worker.store, worker.now()).length > 0)) continue;
    // Those of removed entries were counted with them.
    if (!removed.has(digest)) bytes += disk.measure(worker.content.path(digest)).own;
    await worker.content.delete(digest);
  }
  return bytes;
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
