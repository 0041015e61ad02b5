import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '@tbuild/oci';
import { moveToTrash } from '@tbuild/snapshot';
import { createDiskUsage } from './disk-usage.ts';
import { explainedSteps } from './explanations.ts';
import { namesIn } from './names-in.ts';
import { readNote } from './note-file.ts';
import type { Worker } from './worker.ts';

/** What builds have learnt that is neither a step nor a tree, and can find out again. */
const MEMORIES = ['context-index', 'explain', 'variants', 'copies'];

/** Removes all of it. Returns how many bytes that frees. */
export function removeAllMemories({ root }: Pick<Worker, 'root'>): number {
  return MEMORIES.reduce((bytes, name) => bytes + discard(join(root, name), root), 0);
}

/** Removes what was neither written nor read since `before`; what explains a step stays as long as its record. */
export async function removeOldMemories(
  { root, cache }: Pick<Worker, 'root' | 'cache'>,
  before: number,
): Promise<number> {
  let bytes = 0;
  for (const name of ['context-index', 'copies'])
    for (const path of pathsIn(join(root, name))) if (usedAt(path) < before) bytes += discard(path, root);
  for (const { path, key } of explainedSteps(root)) {
    const isKept = isDigest(key) && (await cache.get(key)) !== undefined;
    if (!isKept && usedAt(path) < before) bytes += discard(path, root);
  }
  return bytes;
}

/** Removes notes of compressed layers whose blobs are gone. */
export async function removeLostVariants({ root, content }: Pick<Worker, 'root' | 'content'>): Promise<void> {
  for (const directory of pathsIn(join(root, 'variants'))) {
    const notes = pathsIn(directory);
    let left = notes.length;
    for (const path of notes) {
      const [blob] = (readNote(path) ?? '').match(/sha256:[a-f0-9]{64}/) ?? [];
      if (blob !== undefined && isDigest(blob) && (await content.has(blob))) continue;
      rmSync(path, { force: true });
      left--;
    }
    if (left === 0) moveToTrash(root, directory);
  }
}

function pathsIn(directory: string): readonly string[] {
  return namesIn(directory).map((name) => join(directory, name));
}

function usedAt(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return Math.max(stats?.mtimeMs ?? 0, stats?.atimeMs ?? 0);
}

function discard(path: string, root: string): number {
  const { own } = createDiskUsage().measure(path);
  return moveToTrash(root, path) ? own : 0;
}
