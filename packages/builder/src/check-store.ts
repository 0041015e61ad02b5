import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '@tbuild/errors';
import { createLayerVariants, readLayerFile } from '@tbuild/layers';
import { isDigest } from '@tbuild/oci';
import { listDirectory } from '@tbuild/store';
import type { Worker } from './worker.ts';

/**
 * Reads the whole store and yields a sentence for each entry that is damaged: blobs are hashed, records and notes are
 * parsed, and trees whose layer this machine packed are packed again and compared with its diff ID. Keep a lease meanwhile.
 * Removes nothing but blobs that turn out corrupt, which reading does.
 */
export async function* checkStore(worker: Worker, signal: AbortSignal): AsyncGenerator<string, void> {
  yield* checkBlobs(worker, signal);
  yield* checkRecords(worker);
  yield* checkVariants(worker);
  yield* checkTrees(worker, signal);
}

async function* checkBlobs({ content, store }: Worker, signal: AbortSignal): AsyncGenerator<string, void> {
  for (const name of listDirectory(store.blobs)) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) continue;
    const stats = lstatSync(content.path(digest));
    if (!stats.isFile()) {
      yield `Blob ${digest} is no file`;
      continue;
    }
    try {
      for await (const _ of await content.read({ mediaType: '', digest, size: stats.size }, signal)) continue;
    } catch (error) {
      if (!hasCode(error, 'DIGEST_MISMATCH')) throw error;
      yield `${error.message}; it was removed`;
    }
  }
}

async function* checkRecords({ cache, store }: Worker): AsyncGenerator<string, void> {
  for (const name of listDirectory(store.records)) {
    const key = `sha256:${name}`;
    if (isDigest(key) && (await cache.get(key)) === undefined) yield `Record ${key} cannot be read`;
  }
  for (const name of listDirectory(store.layers)) {
    const result = `sha256:${name}`;
    if (isDigest(result) && readLayerFile(store.layer(result)) === undefined)
      yield `The description of the layer of ${result} cannot be read`;
  }
}

async function* checkVariants({ store }: Worker): AsyncGenerator<string, void> {
  const variants = createLayerVariants(store);
  for (const name of listDirectory(store.variants)) {
    const diffId = `sha256:${name}`;
    if (!isDigest(diffId)) continue;
    for (const variant of listDirectory(store.variantsOf(diffId)))
      if (variants.get(diffId, variant) === undefined)
        yield `The description of the ${variant} form of layer ${diffId} cannot be read`;
  }
}

async function* checkTrees(worker: Worker, signal: AbortSignal): AsyncGenerator<string, void> {
  const { snapshots, store } = worker;
  for (const name of await snapshots.list()) {
    const tree = await snapshots.stat(name);
    const missing = tree?.directories.find((directory) => !existsSync(directory));
    if (tree === undefined) yield `Tree ${name} is incomplete`;
    else if (missing !== undefined) yield `Tree ${name} stands on "${missing}", which is missing`;
    else if (existsSync(join(store.snapshot(name), 'fs'))) yield* checkTree(name, tree.directories, worker, signal);
  }
}

/** A layer that came compressed was packed elsewhere, perhaps with other bytes for the same tree. */
async function* checkTree(
  name: string,
  directories: readonly string[],
  { differ, store }: Worker,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const result = `sha256:${name}`;
  const layer = isDigest(result) ? readLayerFile(store.layer(result)) : undefined;
  const upper = directories.at(-1);
  if (layer === undefined || upper === undefined || layer.descriptor.digest !== layer.diffId) return;
  const { diffId } = await differ.pack(upper, directories.slice(0, -1), signal);
  if (diffId !== layer.diffId) yield `Tree ${name} was changed: it packs to ${diffId}, expected ${layer.diffId}`;
}
