import { join } from 'node:path';
import { explainedSteps } from '@tbuild/cache';
import type { Digest } from '@tbuild/oci';
import { countOnce, createDiskUsage, type DiskUsage, listDirectory, type StoreLayout } from '@tbuild/store';
import { listCacheEntries } from './cache-entries.ts';
import type { CacheEntry, EntryKind } from './cache-entry.ts';
import type { GcStore } from './gc-store.ts';
import { imageBlobs } from './needed-blobs.ts';
import { withPauses } from './pauses.ts';

/** One row of what a store holds. */
export interface UsedSpace {
  /** The hash of a step's result; other names for other kinds. */
  readonly name: string;
  readonly kind: EntryKind | 'image blobs' | 'other blobs' | 'builds' | 'records';
  /** Bytes on disk. A file that several rows share counts in the first of them only. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt?: number;
  /** The step's name when it ran here last, or the source of a fetched entry. */
  readonly description?: string;
  /** Whether prune may remove it. */
  readonly reclaimable: boolean;
}

/**
 * Returns what a store holds on disk: images, then the build cache, most recently used first, then the rest. The sum is that of
 * du(1).
 */
export async function usedSpace(stores: GcStore, signal?: AbortSignal): Promise<readonly UsedSpace[]> {
  const { store, content } = stores;
  const disk = createDiskUsage();
  const named = imageBlobs(stores);
  const entries = await listCacheEntries(stores, { disk, named, signal });
  const names = new Map<string, string>();
  for (const { key, name } of explainedSteps(store)) names.set(key, name);
  const own = new Set(entries.flatMap(({ blobs }) => blobs));
  const images = sumOf(
    [...named].map((digest) => content.path(digest)),
    disk,
  );
  const steps: UsedSpace[] = [];
  for await (const entry of withPauses(entries.toReversed(), signal)) steps.push(rowOf(entry, names));
  const others: Digest[] = [];
  for await (const { digest } of content.list()) if (!named.has(digest) && !own.has(digest)) others.push(digest);
  const rest = sumOf(restOf(store), disk) + sumOf(directoriesOf(store), disk, true);
  return [
    { name: 'images', kind: 'image blobs', bytes: images, reclaimable: false },
    ...steps,
    {
      name: 'blobs',
      kind: 'other blobs',
      bytes: sumOf(
        others.map((digest) => content.path(digest)),
        disk,
      ),
      reclaimable: true,
    },
    { name: 'builds', kind: 'builds', bytes: sumOf([store.builds], disk), reclaimable: true },
    { name: 'records', kind: 'records', bytes: rest, reclaimable: true },
  ];
}

function rowOf(entry: CacheEntry, names: ReadonlyMap<string, string>): UsedSpace {
  const { name, kind, keys, usage, usedAt } = entry;
  const description = entry.description ?? keys.map((key) => names.get(key)).find((known) => known !== undefined);
  return { name, kind, bytes: countOnce(usage), usedAt, description, reclaimable: true };
}

function sumOf(paths: readonly string[], disk: DiskUsage, alone = false): number {
  return paths.reduce((sum, path) => sum + (alone ? disk.measureAlone(path) : countOnce(disk.measure(path))), 0);
}

/** Returns the files and directories that belong to no entry. */
function restOf({ root, builds }: StoreLayout): readonly string[] {
  return listDirectory(root)
    .filter((name) => !DIVIDED.includes(name) && join(root, name) !== builds)
    .map((name) => join(root, name));
}

const DIVIDED = ['snapshots', 'blobs', 'layers', 'digests', 'cache-mounts', 'resolved', 'http', 'git'];

/** Returns the directories that hold entries. */
function directoriesOf({ root, blobs, activeSnapshots }: StoreLayout): readonly string[] {
  return [root, ...DIVIDED.map((name) => join(root, name)), blobs, activeSnapshots];
}
