import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getOrMake } from '@tbuild/concurrency';
import type { ResultId, StepKey } from '@tbuild/graph';
import { hexOf, type Digest } from '@tbuild/oci';
import { readStack } from '@tbuild/snapshot';
import { countOnce, type DiskUsage, listDirectory, modifiedAt, readText, sumOf } from '@tbuild/store';
import type { CacheEntry } from './cache-entry.ts';
import { fetchedEntries } from './fetched-entries.ts';
import type { GcStore } from './gc-store.ts';
import { blobsNamedIn } from './needed-blobs.ts';
import { withPauses } from './pauses.ts';

export interface ListOptions {
  readonly disk: DiskUsage;
  /** Blobs of images, which belong to no entry. */
  readonly named: ReadonlySet<Digest>;
  readonly signal?: AbortSignal;
}

/** Returns all entries of the build cache, least recently used first, each before the entries below it. */
export async function listCacheEntries(
  stores: GcStore,
  { disk, named, signal }: ListOptions,
): Promise<readonly CacheEntry[]> {
  const entries = new Map<string, CacheEntry>();
  const taken = new Set(named);
  for await (const entry of withPauses(stepEntries(await listResults(stores), { stores, disk, taken }), signal))
    entries.set(entry.name, entry);
  const others = (await stores.snapshots.list()).filter((name) => !entries.has(name));
  for (const entry of treeEntries(stores, disk, others)) entries.set(entry.name, entry);
  for (const entry of mountEntries(stores, disk)) entries.set(`mount ${entry.name}`, entry);
  for (const entry of fetchedEntries(stores, disk, taken)) entries.set(`${entry.kind} ${entry.name}`, entry);
  return inOrder(entries);
}

/** Returns the bytes on disk of several entries. Counts a shared file once. */
export function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { usage }) => sum + countOnce(usage), 0);
}

/** The records of one result. */
interface ResultRecords {
  readonly keys: StepKey[];
  usedAt: number;
  /** Names of the results below. */
  readonly parents: Set<string>;
}

async function listResults(stores: GcStore): Promise<ReadonlyMap<ResultId, ResultRecords>> {
  const records = new Map<ResultId, ResultRecords>();
  for await (const { key, result, parent, usedAt } of stores.cache.list()) {
    const known: ResultRecords = records.get(result) ?? { keys: [], usedAt: 0, parents: new Set() };
    known.keys.push(key);
    known.usedAt = Math.max(known.usedAt, usedAt);
    if (parent !== undefined) known.parents.add(hexOf(parent));
    records.set(result, known);
  }
  return records;
}

interface StepListing {
  readonly stores: GcStore;
  readonly disk: DiskUsage;
  /** Blobs that belong to an entry or image already. */
  readonly taken: Set<Digest>;
}

function* stepEntries(
  records: ReadonlyMap<ResultId, ResultRecords>,
  { stores, disk, taken }: StepListing,
): Generator<CacheEntry, void> {
  for (const [result, { keys, usedAt, parents }] of records) {
    const name = hexOf(result);
    const parts = [stores.store.snapshot(name), stores.store.layer(result), stores.store.digestsOf(result)].map(
      (path) => disk.measure(path),
    );
    const named = blobsNamedIn(readText(stores.store.layer(result)) ?? '', stores);
    const blobs = [...new Set(named)].filter((blob) => !taken.has(blob) && existsSync(stores.content.path(blob)));
    for (const blob of blobs) {
      parts.push(disk.measure(stores.content.path(blob)));
      taken.add(blob);
    }
    yield {
      name,
      kind: 'step',
      keys,
      blobs,
      usage: sumOf(parts),
      usedAt,
      below: [...parents, ...stackOf(name, stores)],
    };
  }
}

function treeEntries(stores: GcStore, disk: DiskUsage, names: readonly string[]): readonly CacheEntry[] {
  return names.map((name) => {
    const path = stores.store.snapshot(name);
    return {
      name,
      kind: 'tree',
      keys: [],
      blobs: [],
      usage: disk.measure(path),
      usedAt: modifiedAt(path),
      below: stackOf(name, stores),
    };
  });
}

function mountEntries({ store }: GcStore, disk: DiskUsage): readonly CacheEntry[] {
  return listDirectory(store.cacheMounts).map((name) => {
    const path = store.cacheMount(name);
    return {
      name,
      kind: 'cache mount',
      keys: [],
      blobs: [],
      usage: disk.measure(path),
      usedAt: Math.max(modifiedAt(path), modifiedAt(join(path, 'used'))),
      below: [],
    };
  });
}

/** Returns the names of the trees below. */
function stackOf(name: string, { store }: GcStore): readonly string[] {
  return (readStack(store.snapshot(name)) ?? []).filter((line) => line !== name);
}

/** Sorts by time of use. Using an entry uses the entries below it, so that no base comes before an entry on it. */
function inOrder(entries: ReadonlyMap<string, CacheEntry>): readonly CacheEntry[] {
  const above = new Map<string, string[]>();
  for (const [name, { below }] of entries) for (const base of below) getOrMake(above, base, () => []).push(name);
  const known = new Map<string, { usedAt: number; height: number }>();
  const find = (name: string): { usedAt: number; height: number } => {
    const done = known.get(name);
    if (done !== undefined) return done;
    known.set(name, { usedAt: 0, height: 0 });
    const others = (above.get(name) ?? []).map(find);
    const found = {
      usedAt: Math.max(entries.get(name)?.usedAt ?? 0, ...others.map(({ usedAt }) => usedAt)),
      height: Math.max(0, ...others.map(({ height }) => height + 1)),
    };
    known.set(name, found);
    return found;
  };
  const ordered = [...entries].map(([name, entry]) => ({
    entry: { ...entry, usedAt: find(name).usedAt },
    height: find(name).height,
  }));
  return ordered.sort((a, b) => a.entry.usedAt - b.entry.usedAt || a.height - b.height).map(({ entry }) => entry);
}
