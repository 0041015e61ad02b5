import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest, type Digest } from '@tbuild/oci';
import { emptyTrash, moveToTrash } from '@tbuild/snapshot';
import { bytesOf, listCacheEntries } from './cache-entries.ts';
import type { CacheEntry } from './cache-entry.ts';
import { createDiskUsage, freedBy } from './disk-usage.ts';
import { liveLeases } from './lease.ts';
import { cachedBlobs, imageBlobs, namedBlobs } from './needed-blobs.ts';
import { namesIn } from './names-in.ts';
import { removeAllMemories, removeLostVariants, removeOldMemories } from './remove-memories.ts';
import { removeUnused } from './remove-unused.ts';
import { oldestUse, sweepLeftovers } from './sweep-leftovers.ts';
import { SYNC_MARKER } from './sync-marker.ts';
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
  const { root } = worker;
  const started = worker.now();
  const isIdle = liveLeases(root, started).length === 0;
  const limit = oldestUse(root, started);
  sweepLeftovers(root, started);
  const discarded = createDiskUsage().measure(join(root, 'trash')).own;
  const { maxUsedSpace, unusedFor = 0 } = options;
  if (maxUsedSpace === undefined) dropUnnamedImages(worker, Math.min(limit, started - unusedFor));
  const removed = await removeEntries(worker, options, limit);
  let bytes = removed.bytes + discarded;
  if (options.all === true && isIdle) bytes += removeAllMemories(worker);
  if (options.unusedFor !== undefined)
    bytes += await removeOldMemories(worker, Math.min(limit, started - options.unusedFor));
  bytes += await removeBlobs(worker, { removed: removed.blobs, keepCached: options.all !== true || !isIdle });
  await removeLostVariants(worker);
  if (isIdle) removeUnnamed(root, limit);
  emptyTrash(root);
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
  { root, cache, snapshots, now }: Worker,
  limit: number,
): Promise<boolean> {
  // A tree without a record may be in use without a sign.
  if (kind === 'tree' && liveLeases(root, now()).length > 0) return false;
  if (kind === 'cache mount') return removeMount(join(root, 'cache-mounts', name), root, limit);
  if (path !== undefined) return removeUnused(path, root, limit);
  for (const key of keys) if (!cache.deleteUnused(key, limit)) return false;
  await snapshots.remove(name);
  rmSync(join(root, 'layers', name), { force: true });
  moveToTrash(root, join(root, 'digests', name));
  return true;
}

function removeMount(directory: string, root: string, limit: number): boolean {
  const usedAt = statSync(join(directory, 'used'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return usedAt < limit && moveToTrash(root, directory);
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
    if (needed.has(digest) || (!removed.has(digest) && liveLeases(worker.root, worker.now()).length > 0)) continue;
    // Those of removed entries were counted with them.
    if (!removed.has(digest)) bytes += disk.measure(worker.content.path(digest)).own;
    await worker.content.delete(digest);
  }
  return bytes;
}

/** Files that a killed process did not come to give their name. */
function removeUnnamed(root: string, limit: number): void {
  const unnamed = ['layers', 'records', 'resolved', 'http'].flatMap((directory) =>
    namesIn(join(root, directory)).flatMap((name) => (isDigest(`sha256:${name}`) ? [] : [join(root, directory, name)])),
  );
  const markers = namesIn(root).filter((name) => name.startsWith(`${SYNC_MARKER}.`));
  for (const path of [...unnamed, ...markers.map((name) => join(root, name))]) {
    const changedAt = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
    if (changedAt !== undefined && changedAt < limit) moveToTrash(root, path);
  }
}
