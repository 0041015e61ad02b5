import { existsSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { explainedSteps } from '@tbuild/cache';
import { stepKey } from '@tbuild/graph';
import { isDigest, type Digest } from '@tbuild/oci';
import { createDiskUsage, listDirectory, moveToTrash, readText, type StoreLayout } from '@tbuild/store';
import type { GcStore } from './gc-store.ts';

/** Directories of facts that no build needs. */
export const MEMORIES = ['contextIndex', 'explain', 'variants', 'copies', 'builds'] as const;

/** Removes all memories. Returns the bytes freed. */
export function removeAllMemories({ store }: Pick<GcStore, 'store'>): number {
  return MEMORIES.reduce((bytes, name) => bytes + discard(store[name], store), 0);
}

/** Removes memories that were neither written nor read since `before`. Keeps the explanation of a step that has a record. */
export async function removeOldMemories(
  { store, cache }: Pick<GcStore, 'store' | 'cache'>,
  before: number,
): Promise<number> {
  let bytes = 0;
  for (const directory of [store.contextIndex, store.copies, store.builds])
    for (const path of pathsIn(directory)) if (usedAt(path) < before) bytes += discard(path, store);
  for (const { path, key } of explainedSteps(store)) {
    const isKept = isDigest(key) && (await cache.get(stepKey(key))) !== undefined;
    if (!isKept && usedAt(path) < before) bytes += discard(path, store);
  }
  return bytes;
}

/** Removes the notes of compressed layers whose blobs are missing. */
export async function removeLostVariants({ store, content }: Pick<GcStore, 'store' | 'content'>): Promise<void> {
  for (const directory of pathsIn(store.variants)) {
    const notes = pathsIn(directory);
    let left = notes.length;
    for (const path of notes) {
      const [blob] = (readText(path) ?? '').match(/sha256:[a-f0-9]{64}/) ?? [];
      if (blob !== undefined && isDigest(blob) && existsSync(content.path(blob))) continue;
      rmSync(path, { force: true });
      left--;
    }
    if (left === 0) moveToTrash(store, directory);
  }
}

/**
 * Removes what is noted about results without a record, which a killed prune leaves, and the sizes of layers that are gone.
 * Call it only while no build runs.
 */
export async function removeLostNotes({ store, cache, content }: GcStore): Promise<void> {
  const kept = new Set<Digest>();
  for await (const { result } of cache.list()) kept.add(result);
  for (const path of [...pathsIn(store.layers), ...pathsIn(store.digests)]) {
    const subject = `sha256:${basename(path)}`;
    if (isDigest(subject) && !kept.has(subject) && !existsSync(content.path(subject))) moveToTrash(store, path);
  }
}

function pathsIn(directory: string): readonly string[] {
  return listDirectory(directory).map((name) => join(directory, name));
}

function usedAt(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return Math.max(stats?.mtimeMs ?? 0, stats?.atimeMs ?? 0);
}

function discard(path: string, store: StoreLayout): number {
  const { own } = createDiskUsage().measure(path);
  return moveToTrash(store, path) ? own : 0;
}
