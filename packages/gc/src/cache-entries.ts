import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ResultId } from '@tbuild/cache';
import { hexOf, type Digest } from '@tbuild/oci';
import { countOnce, type DiskUsage, listDirectory, readText, sumOf, type Usage } from '@tbuild/store';
import type { CacheEntry } from './cache-entry.ts';
import { fetchedEntries } from './fetched-entries.ts';
import { blobsNamedIn } from './needed-blobs.ts';
import type { GcStore } from './gc-store.ts';

/** All entries of the build cache, least recently used first; each stands before what it stands on. */
export async function listCacheEntries(
  stores: GcStore,
  disk: DiskUsage,
  named: ReadonlySet<Digest>,
): Promise<readonly CacheEntry[]> {
  const entries = new Map<string, CacheEntry>();
  const taken = new Set(named);
  for (const entry of await stepEntries(stores, disk, taken)) entries.set(entry.name, entry);
  for (const entry of treeEntries(stores, disk, await stores.snapshots.list()))
    if (!entries.has(entry.name)) entries.set(entry.name, entry);
  for (const entry of mountEntries(stores, disk)) entries.set(`mount ${entry.name}`, entry);
  for (const entry of fetchedEntries(stores, disk, taken)) entries.set(`${entry.kind} ${entry.name}`, entry);
  return inOrder(entries);
}

/** Bytes on disk of several entries, what they share counted once. */
export function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { usage }) => sum + countOnce(usage), 0);
}

async function stepEntries(stores: GcStore, disk: DiskUsage, taken: Set<Digest>): Promise<readonly CacheEntry[]> {
  const records = new Map<ResultId, { keys: Digest[]; usedAt: number; parents: Set<string> }>();
  for await (const { key, result, parent, usedAt } of stores.cache.list()) {
    const known = records.get(result) ?? { keys: [], usedAt: 0, parents: new Set<string>() };
    known.keys.push(key);
    known.usedAt = Math.max(known.usedAt, usedAt);
    if (parent !== undefined) known.parents.add(hexOf(parent));
    records.set(result, known);
  }
  return [...records].map(([result, { keys, usedAt, parents }]): CacheEntry => {
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
    return {
      name,
      kind: 'step',
      keys,
      blobs,
      usage: sumOf(parts),
      usedAt,
      below: [...parents, ...stackOf(name, stores)],
    };
  });
}

function treeEntries(stores: GcStore, disk: DiskUsage, names: readonly string[]): readonly CacheEntry[] {
  return names.map((name) => {
    const path = stores.store.snapshot(name);
    return {
      name,
      kind: 'tree',
      keys: [],
      blobs: [],
      usage: lazily(() => disk.measure(path)),
      usedAt: timeOf(path),
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
      usedAt: Math.max(timeOf(path), timeOf(join(path, 'used'))),
      below: [],
    };
  });
}

/** Trees of steps are measured with their step. */
function lazily(measure: () => Usage): Usage {
  let usage: Usage | undefined;
  return {
    get own() {
      return (usage ??= measure()).own;
    },
    get linked() {
      return (usage ??= measure()).linked;
    },
  };
}

function stackOf(name: string, { store }: GcStore): readonly string[] {
  const file = join(store.snapshot(name), 'stack');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && line !== name);
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Entries are used when what stands on them is; so sorting by that never takes away a base first. */
function inOrder(entries: ReadonlyMap<string, CacheEntry>): readonly CacheEntry[] {
  const above = new Map<string, string[]>();
  for (const [name, { below }] of entries)
    for (const base of below) above.set(base, [...(above.get(base) ?? []), name]);
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
