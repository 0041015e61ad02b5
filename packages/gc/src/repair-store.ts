import { dirname } from 'node:path';
import { writeIndex } from '@tbuild/content';
import { announceRemoval, createDiskUsage, liveLeases, removeUnused } from '@tbuild/store';
import { listCacheEntries } from './cache-entries.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { Damage } from './check/damage.ts';
import type { GcStore } from './gc-store.ts';
import { namedBlobs } from './needed-blobs.ts';
import { removeBlobs } from './remove-blobs.ts';
import { removeEntries } from './remove-entries.ts';
import { oldestUse } from './sweep-leftovers.ts';

/** The figures of a repair. */
export interface Repaired {
  /** Damaged files that were removed or written again. */
  readonly files: number;
  /** Trees and steps: the damaged ones and those that stand on them. */
  readonly entries: number;
  /** Of all that was removed. */
  readonly bytes: number;
  /** Entries that a running build may use. */
  readonly inUse: number;
  /** Images that lack a blob. */
  readonly incomplete: number;
}

export interface RepairOptions {
  /** When the check began, in milliseconds. */
  readonly since: number;
  /** Nothing is removed when it aborts before the removal begins. */
  readonly signal: AbortSignal;
}

/**
 * Removes damaged entries that can be made again, and with a tree the records and trees that stand on it. Beside running
 * builds nothing is removed that was used since the oldest of them began.
 */
export async function repairStore(
  stores: GcStore,
  damages: readonly Damage[],
  { since, signal }: RepairOptions,
): Promise<Repaired> {
  const { store } = stores;
  using _removal = announceRemoval(store);
  const isIdle = liveLeases(store, stores.now()).length === 0;
  const limit = Math.min(since, oldestUse(store, stores.now()));
  const trees = new Set(damages.flatMap((damage) => (damage.kind === 'tree' ? damage.name : [])));
  const chosen = trees.size === 0 ? [] : await entriesOn(trees, stores, signal);
  const { entries, bytes, blobs } = await removeEntries(chosen, stores, { limit, takesTrees: isIdle });
  await removeBlobs(stores, {
    removed: blobs,
    onlyRemoved: true,
    keepCached: true,
    limit: isIdle ? Infinity : limit,
  });
  const files = damages.flatMap((damage) => (damage.kind === 'file' ? damage.path : []));
  const disk = createDiskUsage();
  const removed = files
    .map((path) => ({ path, bytes: disk.measure(path).own }))
    .filter(({ path }) => removeUnused(path, store, { limit }));
  const hasIndex = damages.some(({ kind }) => kind === 'index');
  if (hasIndex || files.some((path) => dirname(path) === store.refs)) writeIndex(store);
  return {
    files: removed.length + Number(hasIndex),
    entries,
    bytes: removed.reduce((sum, file) => sum + file.bytes, bytes),
    inUse: files.length - removed.length + chosen.length - entries,
    incomplete: damages.filter(({ kind }) => kind === 'image').length,
  };
}

/** Returns the entries of the trees and all that stand on them, in the order of removal. */
async function entriesOn(
  trees: ReadonlySet<string>,
  stores: GcStore,
  signal: AbortSignal,
): Promise<readonly CacheEntry[]> {
  const entries = await listCacheEntries(stores, { disk: createDiskUsage(), named: namedBlobs(stores), signal });
  const chosen = new Set(trees);
  // Each stands before the entries below it.
  for (const { name, below } of entries.toReversed()) if (below.some((base) => chosen.has(base))) chosen.add(name);
  return entries.filter(({ name }) => chosen.has(name));
}
