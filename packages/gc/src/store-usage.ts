import { join } from 'node:path';
import { explainedSteps } from '@tbuild/cache';
import type { Digest } from '@tbuild/oci';
import { countOnce, createDiskUsage, type DiskUsage, listDirectory, type StoreLayout } from '@tbuild/store';
import { listCacheEntries } from './cache-entries.ts';
import type { EntryKind } from './cache-entry.ts';
import { imageBlobs } from './needed-blobs.ts';
import type { GcStore } from './gc-store.ts';

/** One row of what a store holds. */
export interface UsedSpace {
  /** The hash of a step's result; other names for other kinds. */
  readonly name: string;
  readonly kind: EntryKind | 'image blobs' | 'other blobs' | 'records';
  /** Bytes on disk. What several rows share is counted in the first of them only. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt?: number;
  /** The step's name when it ran here last, or where something was fetched from. */
  readonly description?: string;
  /** Whether a prune may take it. */
  readonly reclaimable: boolean;
}

/** All that a store holds on disk: images, then the build cache, most recently used first, then the rest. The sum is what `du` says. */
export async function usedSpace(stores: GcStore): Promise<readonly UsedSpace[]> {
  const { store, content } = stores;
  const disk = createDiskUsage();
  const named = imageBlobs(stores);
  const entries = await listCacheEntries(stores, disk, named);
  const names = new Map<string, string>();
  for (const { key, name } of explainedSteps(store)) names.set(key, name);
  const own = new Set(entries.flatMap(({ blobs }) => blobs));
  const images = sumOf(
    [...named].map((digest) => content.path(digest)),
    disk,
  );
  const steps = entries.toReversed().map(({ name, kind, keys, usage, usedAt, description }): UsedSpace => {
    const words = description ?? keys.map((key) => names.get(key)).find((known) => known !== undefined);
    return { name, kind, bytes: countOnce(usage), usedAt, description: words, reclaimable: true };
  });
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
    { name: 'records', kind: 'records', bytes: rest, reclaimable: true },
  ];
}

function sumOf(paths: readonly string[], disk: DiskUsage, alone = false): number {
  return paths.reduce((sum, path) => sum + (alone ? disk.measureAlone(path) : countOnce(disk.measure(path))), 0);
}

/** What is no part of an entry. */
function restOf({ root }: StoreLayout): readonly string[] {
  return listDirectory(root)
    .filter((name) => !DIVIDED.includes(name))
    .map((name) => join(root, name));
}

const DIVIDED = ['snapshots', 'blobs', 'layers', 'digests', 'cache-mounts', 'resolved', 'http', 'git'];

/** The directories that entries lie in, and what is being made there. */
function directoriesOf({ root, blobs, activeSnapshots }: StoreLayout): readonly string[] {
  return [root, ...DIVIDED.map((name) => join(root, name)), blobs, activeSnapshots];
}
