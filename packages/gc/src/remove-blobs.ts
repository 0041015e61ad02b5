import { statSync, type Stats } from 'node:fs';
import type { Digest } from '@tbuild/oci';
import { createDiskUsage, removeUnused } from '@tbuild/store';
import type { GcStore } from './gc-store.ts';
import { cachedBlobs, imageBlobs } from './needed-blobs.ts';

export interface RemoveBlobsOptions {
  /** Blobs of entries that were removed; their bytes have been counted. */
  readonly removed: ReadonlySet<Digest>;
  /** Removes only those. */
  readonly onlyRemoved: boolean;
  /** Keeps the blobs that the build cache needs. */
  readonly keepCached: boolean;
  /** Milliseconds: blobs that a build has found since then stay. */
  readonly limit: number;
}

/** Removes blobs that no image needs. Returns how many bytes that frees besides those of removed entries. */
export async function removeBlobs(
  stores: GcStore,
  { removed, onlyRemoved, keepCached, limit }: RemoveBlobsOptions,
): Promise<number> {
  const { store, content } = stores;
  const needed = new Set([...imageBlobs(stores), ...(keepCached ? cachedBlobs(stores) : [])]);
  const disk = createDiskUsage();
  let bytes = 0;
  for await (const { digest } of content.list()) {
    if (needed.has(digest) || (onlyRemoved && !removed.has(digest))) continue;
    const path = content.path(digest);
    const own = removed.has(digest) ? 0 : disk.measure(path).own;
    if (isUsed(path, limit) || !removeUnused(path, store, { limit, usedAt: timeRead })) continue;
    bytes += own;
  }
  return bytes;
}

/** Asks before the blob is renamed to be looked at, because a build that uses it may read it at any time. */
function isUsed(path: string, limit: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && timeRead(stats) >= limit;
}

/** Builds mark the blobs that they find (`LocalStore.use`). */
function timeRead({ atimeMs }: Stats): number {
  return atimeMs;
}
