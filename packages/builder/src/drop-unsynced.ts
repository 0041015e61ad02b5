import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '@tbuild/errors';
import { type Digest } from '@tbuild/oci';
import { moveToTrash } from '@tbuild/snapshot';
import { openLock, waitFor } from './ops/file-lock.ts';
import { readBoot, readSyncMarker, writeSyncMarker } from './sync-marker.ts';
import type { Worker } from './worker.ts';
import { namesIn } from './names-in.ts';

type Store = Pick<Worker, 'root' | 'content'>;

/**
 * When the machine has stopped since the store was synced last, removes what was written later and cannot be told to be
 * whole: trees, cache mounts, what is known of files. Records stay, since each is whole or no record; so do blobs that have their
 * digest. Returns how many trees went.
 */
export async function dropUnsynced(store: Store, signal: AbortSignal): Promise<number> {
  const boot = readBoot();
  if (boot === undefined || readSyncMarker(store.root)?.boot === boot) return 0;
  const isNew = !existsSync(join(store.root, 'records')) && !existsSync(join(store.root, 'blobs'));
  if (isNew && writeSyncMarker(store.root, { boot, syncedAt: 0 }, { first: true })) return 0;
  using lock = openLock(join(store.root, 'synced.lock'));
  await waitFor(() => lock.tryTake('exclusive') || undefined, signal);
  const marker = readSyncMarker(store.root);
  if (marker?.boot === boot) return 0;
  const syncedAt = marker?.syncedAt ?? 0;
  const count = dropTrees(store.root, syncedAt);
  dropMemories(store.root, syncedAt);
  await dropDamagedBlobs(store, syncedAt, signal);
  writeSyncMarker(store.root, { boot, syncedAt });
  return count;
}

/** A tree is as old as its list of layers, which is written last; what stands on one that goes, goes with it. */
function dropTrees(root: string, syncedAt: number): number {
  const directory = join(root, 'snapshots');
  const names = namesIn(directory).filter((name) => !name.startsWith('.'));
  const dropped = new Set(names.filter((name) => isUnsynced(join(directory, name, 'stack'), syncedAt)));
  for (const name of names) {
    if (dropped.has(name)) continue;
    const stack = readFileSync(join(directory, name, 'stack'), 'utf8').split('\n');
    if (stack.some((below) => dropped.has(below))) dropped.add(name);
  }
  for (const name of dropped) moveToTrash(root, join(directory, name));
  return dropped.size;
}

/** Where a tree's stack is missing, it is no tree. */
function isUnsynced(path: string, syncedAt: number): boolean {
  const written = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return written === undefined || written >= syncedAt;
}

function dropMemories(root: string, syncedAt: number): void {
  for (const name of ['context-index', 'copies']) {
    const directory = join(root, name);
    for (const file of namesIn(directory))
      if (isUnsynced(join(directory, file), syncedAt)) rmSync(join(directory, file), { recursive: true, force: true });
  }
  for (const key of namesIn(join(root, 'cache-mounts'))) {
    const mount = join(root, 'cache-mounts', key);
    if (isUnsynced(join(mount, 'used'), syncedAt)) moveToTrash(root, mount);
  }
  for (const name of namesIn(join(root, 'git'))) {
    const mirror = join(root, 'git', name);
    if (newestIn(mirror, 2) >= syncedAt) moveToTrash(root, mirror);
  }
}

/** The time of what changed last, down to a depth. */
function newestIn(path: string, depth: number): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  const below = stats.isDirectory() && depth > 0 ? namesIn(path) : [];
  return Math.max(stats.mtimeMs, ...below.map((name) => newestIn(join(path, name), depth - 1)));
}

/** Reading a blob to its end removes one that does not have its digest. */
async function dropDamagedBlobs({ content }: Store, syncedAt: number, signal: AbortSignal): Promise<void> {
  const unsynced: { readonly digest: Digest; readonly size: number }[] = [];
  for await (const blob of content.list()) if (isUnsynced(content.path(blob.digest), syncedAt)) unsynced.push(blob);
  for (const { digest, size } of unsynced) {
    try {
      for await (const _ of await content.read({ mediaType: '', digest, size }, signal)) continue;
    } catch (error) {
      if (!hasCode(error, 'DIGEST_MISMATCH') && !hasCode(error, 'NOT_FOUND')) throw error;
    }
  }
}
