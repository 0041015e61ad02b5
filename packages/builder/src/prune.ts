import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest, type Digest } from '@tbuild/oci';
import { emptyTrash, moveToTrash, sweepAbandoned } from '@tbuild/snapshot';
import { bytesOf, listCacheEntries, type CacheEntry } from './cache-entries.ts';
import { createDiskUsage, freedBy } from './disk-usage.ts';
import { liveLeases } from './lease.ts';
import { cachedBlobs, namedBlobs } from './needed-blobs.ts';
import type { Worker } from './worker.ts';

/** What builds remember that is neither a step nor a tree, and can find out again. */
const MEMORIES = ['resolved', 'context-index', 'explain', 'http', 'git', 'variants', 'copies'];

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
 * Removes blobs and unfinished work that nothing refers to, and of the build cache what the options choose; named images
 * stay. Beside running builds nothing goes that was used or made since the oldest of them began.
 */
export async function pruneStore(worker: Worker, options: PruneOptions): Promise<Pruned> {
  const { root } = worker;
  const started = worker.now();
  const busy = liveLeases(root);
  const limit = Math.min(started, ...busy.map(({ since }) => since));
  const discarded = createDiskUsage().measure(join(root, 'trash')).own;
  const removed = await removeEntries(worker, options, limit);
  let bytes = removed.bytes + discarded;
  if (options.all === true && busy.length === 0) bytes += removeMemories(worker);
  bytes += await removeBlobs(worker, { removed: removed.blobs, keepCached: options.all !== true || busy.length > 0 });
  bytes += removeLeftovers(worker, limit, busy.length === 0);
  emptyTrash(root);
  return { bytes, steps: removed.steps };
}

interface RemovedEntries extends Pruned {
  readonly blobs: ReadonlySet<Digest>;
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
  for (const entry of entries) {
    if (bytes >= tooMuch || entry.usedAt >= oldest) break;
    if (!(await removeEntry(entry, worker, limit))) continue;
    if (entry.blob !== undefined) blobs.add(entry.blob);
    bytes += freedBy(entry.usage);
    if (entry.kind === 'step') steps++;
  }
  return { bytes, steps, blobs };
}

/** The record before the tree, so that no build finds a record whose tree is about to go. */
async function removeEntry(
  { name, kind, keys }: CacheEntry,
  { root, cache, snapshots }: Worker,
  limit: number,
): Promise<boolean> {
  // A tree without a record may be in use without a sign.
  if (kind === 'tree' && liveLeases(root).length > 0) return false;
  if (kind === 'cache mount') return removeMount(join(root, 'cache-mounts', name), root, limit);
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

function removeMemories({ root }: Worker): number {
  const disk = createDiskUsage();
  return MEMORIES.reduce((sum, name) => {
    const { own } = disk.measure(join(root, name));
    return sum + (moveToTrash(root, join(root, name)) ? own : 0);
  }, 0);
}

/** Beside a running build only what belonged to removed entries: others it may have found already. */
async function removeBlobs(
  worker: Worker,
  { removed, keepCached }: { readonly removed: ReadonlySet<Digest>; readonly keepCached: boolean },
): Promise<number> {
  const needed = keepCached ? new Set([...namedBlobs(worker), ...cachedBlobs(worker)]) : namedBlobs(worker);
  const disk = createDiskUsage();
  let bytes = 0;
  for await (const { digest } of worker.content.list()) {
    if (needed.has(digest) || (!removed.has(digest) && liveLeases(worker.root).length > 0)) continue;
    // Those of removed entries were counted with them.
    if (!removed.has(digest)) bytes += disk.measure(worker.content.path(digest)).own;
    await worker.content.delete(digest);
  }
  return bytes;
}

/** What killed processes left half made. */
function removeLeftovers({ root }: Worker, limit: number, isIdle: boolean): number {
  const disk = createDiskUsage();
  let bytes = 0;
  for (const directory of ['tmp', ...(isIdle ? ['run', 'layers', 'records'] : [])]) {
    for (const name of namesIn(join(root, directory))) {
      const path = join(root, directory, name);
      const isWhole = directory !== 'tmp' && directory !== 'run' && isDigest(`sha256:${name}`);
      const changed = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
      if (isWhole || changed === undefined || changed >= limit) continue;
      bytes += disk.measure(path).own;
      rmSync(path, { recursive: true, force: true });
    }
  }
  if (existsSync(join(root, 'snapshots', '.active'))) sweepAbandoned(root, limit);
  return bytes;
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
