import { existsSync, lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { damagedRefs } from '@tbuild/content';
import { hasCode } from '@tbuild/errors';
import type { Digest } from '@tbuild/oci';
import { readStack } from '@tbuild/snapshot';
import {
  listDirectory,
  moveToTrash,
  openLock,
  readBoot,
  readSyncMarker,
  waitFor,
  writeSyncMarker,
  type StoreLayout,
} from '@tbuild/store';
import { checkNotes } from './check/check-notes.ts';
import type { GcStore } from './gc-store.ts';

type Kept = Pick<GcStore, 'store' | 'content'>;

/**
 * After an unclean shutdown, removes the trees, cache mounts and memories that were written since the last sync, because they
 * may be incomplete. Keeps records, notes and names of images, whose form shows whether they are complete, and blobs that
 * have their digest.
 * Returns the number of trees removed.
 */
export async function dropUnsynced({ store, content }: Kept, signal: AbortSignal): Promise<number> {
  const boot = readBoot();
  if (boot === undefined || readSyncMarker(store)?.boot === boot) return 0;
  const isNew = !existsSync(store.records) && !existsSync(store.blobs);
  if (isNew && writeSyncMarker(store, { boot, syncedAt: 0 }, { first: true })) return 0;
  using lock = openLock(store.syncLock);
  await waitFor(() => lock.tryTake('exclusive') || undefined, signal);
  const marker = readSyncMarker(store);
  if (marker?.boot === boot) return 0;
  const syncedAt = marker?.syncedAt ?? 0;
  const count = dropTrees(store, syncedAt);
  dropMemories(store, syncedAt);
  for await (const damage of checkNotes({ store }, signal)) if (damage.kind === 'file') moveToTrash(store, damage.path);
  for (const name of damagedRefs(store)) moveToTrash(store, join(store.refs, name));
  await dropDamagedBlobs(content, syncedAt, signal);
  writeSyncMarker(store, { boot, syncedAt });
  return count;
}

/** A tree is as old as its list of layers, which is written last. Drops the trees that stand on a dropped one too. */
function dropTrees(store: StoreLayout, syncedAt: number): number {
  const directory = store.snapshots;
  const names = listDirectory(directory).filter((name) => !name.startsWith('.'));
  const dropped = new Set(names.filter((name) => isUnsynced(join(directory, name, 'stack'), syncedAt)));
  for (const name of names) {
    if (dropped.has(name)) continue;
    const stack = readStack(join(directory, name));
    if (stack?.some((below) => dropped.has(below))) dropped.add(name);
  }
  for (const name of dropped) moveToTrash(store, join(directory, name));
  return dropped.size;
}

/** Reports whether a file was written since the sync, or is missing. */
function isUnsynced(path: string, syncedAt: number): boolean {
  const written = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return written === undefined || written >= syncedAt;
}

function dropMemories(store: StoreLayout, syncedAt: number): void {
  for (const directory of [store.contextIndex, store.copies]) {
    for (const file of listDirectory(directory))
      if (isUnsynced(join(directory, file), syncedAt)) rmSync(join(directory, file), { recursive: true, force: true });
  }
  for (const key of listDirectory(store.cacheMounts)) {
    const mount = store.cacheMount(key);
    if (isUnsynced(join(mount, 'used'), syncedAt)) moveToTrash(store, mount);
  }
  for (const name of listDirectory(store.git)) {
    const mirror = join(store.git, name);
    if (newestIn(mirror, 2) >= syncedAt) moveToTrash(store, mirror);
  }
}

/** Returns the latest mtime in a directory, down to a depth. */
function newestIn(path: string, depth: number): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  const below = stats.isDirectory() && depth > 0 ? listDirectory(path) : [];
  return Math.max(stats.mtimeMs, ...below.map((name) => newestIn(join(path, name), depth - 1)));
}

/** Reads unsynced blobs to their end, which removes those that do not have their digest. */
async function dropDamagedBlobs(content: GcStore['content'], syncedAt: number, signal: AbortSignal): Promise<void> {
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
