import { join } from 'node:path';
import type { Digest } from '@tbuild/oci';
import { countOnce, createDiskUsage, type DiskUsage, listDirectory, type StoreLayout } from '@tbuild/store';
import { listCacheEntries } from './cache-entries.ts';
import type { CacheEntry, EntryKind } from './cache-entry.ts';
import { entryDescriptions } from './entry-descriptions.ts';
import type { GcStore } from './gc-store.ts';
import { imageBlobs, namedBlobs } from './needed-blobs.ts';
import { withPauses } from './pauses.ts';
import { MEMORIES } from './remove-memories.ts';

/** One row of what a store holds. */
export interface UsedSpace {
  /** The hash of a step's result; other names for other kinds. */
  readonly name: string;
  readonly kind: EntryKind | 'image blobs' | 'unnamed image blobs' | 'other blobs' | 'builds' | 'records' | 'store';
  /** Bytes on disk. A file that several rows share counts in the first of them only. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt?: number;
  /** The step's name when it ran here last, or the source of a fetched entry. */
  readonly description?: string;
  /** Whether `tbuild prune --all` removes it while no build runs. */
  readonly reclaimable: boolean;
}

/**
 * Returns what a store holds on disk: images, then the build cache, most recently used first, then the rest. The sum is that of
 * du(1).
 */
export async function usedSpace(stores: GcStore, signal?: AbortSignal): Promise<readonly UsedSpace[]> {
  const { store, content } = stores;
  const disk = createDiskUsage();
  const kept = imageBlobs(stores);
  const named = namedBlobs(stores);
  const entries = await listCacheEntries(stores, { disk, named: kept, signal });
  const describe = entryDescriptions(store);
  const own = new Set(entries.flatMap(({ blobs }) => blobs));
  const blobs = (digests: Iterable<Digest>): number =>
    sumOf(
      Array.from(digests, (digest) => content.path(digest)),
      disk,
    );
  const images = blobs(named);
  const unnamed = blobs([...kept].filter((digest) => !named.has(digest)));
  const steps: UsedSpace[] = [];
  for await (const entry of withPauses(entries.toReversed(), signal)) steps.push(rowOf(entry, describe(entry)));
  const others: Digest[] = [];
  for await (const { digest } of content.list()) if (!kept.has(digest) && !own.has(digest)) others.push(digest);
  const records = sumOf(memoriesOf(store), disk);
  const rest = sumOf(restOf(store), disk) + sumOf(directoriesOf(store), disk, true);
  return [
    { name: 'images', kind: 'image blobs', bytes: images, reclaimable: false },
    { name: 'unnamed images', kind: 'unnamed image blobs', bytes: unnamed, reclaimable: true },
    ...steps,
    { name: 'blobs', kind: 'other blobs', bytes: blobs(others), reclaimable: true },
    { name: 'builds', kind: 'builds', bytes: sumOf([store.builds], disk), reclaimable: true },
    { name: 'records', kind: 'records', bytes: records, reclaimable: true },
    { name: 'store', kind: 'store', bytes: rest, reclaimable: false },
  ];
}

function rowOf({ name, kind, usage, usedAt }: CacheEntry, description: string | undefined): UsedSpace {
  return { name, kind, bytes: countOnce(usage), usedAt, description, reclaimable: true };
}

function sumOf(paths: readonly string[], disk: DiskUsage, alone = false): number {
  return paths.reduce((sum, path) => sum + (alone ? disk.measureAlone(path) : countOnce(disk.measure(path))), 0);
}

/** Returns the directories of memories and of records, besides that of builds. */
function memoriesOf(store: StoreLayout): readonly string[] {
  return [...MEMORIES.filter((name) => name !== 'builds').map((name) => store[name]), store.records];
}

/** Returns the files and directories that belong to no entry and are no memories. */
function restOf(store: StoreLayout): readonly string[] {
  const others = new Set([...memoriesOf(store), store.builds]);
  return listDirectory(store.root)
    .filter((name) => !DIVIDED.includes(name))
    .map((name) => join(store.root, name))
    .filter((path) => !others.has(path));
}

const DIVIDED = ['snapshots', 'blobs', 'layers', 'digests', 'cache-mounts', 'resolved', 'http', 'git'];

/** Returns the directories that hold entries. */
function directoriesOf({ root, blobs, activeSnapshots }: StoreLayout): readonly string[] {
  return [root, ...DIVIDED.map((name) => join(root, name)), blobs, activeSnapshots];
}
