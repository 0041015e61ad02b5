import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Differ } from '@tbuild/diff';
import { hasCode } from '@tbuild/errors';
import { stepKey } from '@tbuild/graph';
import { createLayerVariants, readLayerFile } from '@tbuild/layers';
import { familiarReference, hexOf, isDigest, type Digest } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import { listDirectory, readText } from '@tbuild/store';
import type { GcStore } from './gc-store.ts';
import { missingBlob } from './needed-blobs.ts';
import { withPauses } from './pauses.ts';

export interface CheckedStore extends GcStore {
  readonly differ: Differ;
}

/** An entry of the store that is damaged, with a sentence about it. */
export type Damage =
  | { readonly kind: 'file'; readonly message: string; readonly path: string }
  | { readonly kind: 'tree'; readonly message: string; readonly name: string }
  | { readonly kind: 'image'; readonly message: string };

/**
 * Reads the whole store and yields each entry that is damaged: hashes blobs, parses records and notes, and packs trees
 * whose layer this machine packed, to compare them with its diff ID. Keep a lease meanwhile. Removes nothing but corrupt
 * blobs, which reading them does.
 */
export async function* checkStore(stores: CheckedStore, signal: AbortSignal): AsyncGenerator<Damage, void> {
  yield* checkBlobs(stores, signal);
  for await (const damage of withPauses(checkFiles(stores), signal)) yield damage;
  yield* checkRecords(stores, signal);
  yield* checkTrees(stores, signal);
}

async function* checkBlobs({ content, store }: CheckedStore, signal: AbortSignal): AsyncGenerator<Damage, void> {
  for (const digest of digestsIn(store.blobs)) {
    const path = content.path(digest);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!stats.isFile()) {
      yield { kind: 'file', message: `Blob ${digest} is not a file`, path };
      continue;
    }
    try {
      for await (const _ of await content.read({ mediaType: '', digest, size: stats.size }, signal)) continue;
    } catch (error) {
      if (!hasCode(error, 'DIGEST_MISMATCH')) throw error;
      yield { kind: 'file', message: `${error.message}; it was removed`, path };
    }
  }
}

async function* checkRecords({ cache, store }: CheckedStore, signal: AbortSignal): AsyncGenerator<Damage, void> {
  for await (const key of withPauses(digestsIn(store.records), signal)) {
    if ((await cache.get(stepKey(key))) !== undefined) continue;
    yield { kind: 'file', message: `Record ${key} cannot be read`, path: join(store.records, hexOf(key)) };
  }
}

function* checkFiles(stores: CheckedStore): Generator<Damage, void> {
  const { refs, store } = stores;
  for (const { reference, target } of refs.list()) {
    const missing = missingBlob(target, stores);
    const name = JSON.stringify(familiarReference(reference));
    if (missing !== undefined) yield { kind: 'image', message: `Image ${name} lacks blob ${missing}` };
  }
  for (const result of digestsIn(store.layers))
    if (readLayerFile(store.layer(result)) === undefined)
      yield {
        kind: 'file',
        message: `The description of the layer of ${result} cannot be read`,
        path: store.layer(result),
      };
  for (const directory of [store.resolved, store.http])
    for (const name of listDirectory(directory))
      if (!isJson(join(directory, name)))
        yield { kind: 'file', message: `Note "${join(directory, name)}" cannot be read`, path: join(directory, name) };
  yield* checkVariants(stores);
}

function* checkVariants({ store }: CheckedStore): Generator<Damage, void> {
  const variants = createLayerVariants(store);
  for (const diffId of digestsIn(store.variants))
    for (const variant of listDirectory(store.variantsOf(diffId)))
      if (variants.get(diffId, variant) === undefined)
        yield {
          kind: 'file',
          message: `The description of the ${variant} form of layer ${diffId} cannot be read`,
          path: join(store.variantsOf(diffId), variant),
        };
}

async function* checkTrees(stores: CheckedStore, signal: AbortSignal): AsyncGenerator<Damage, void> {
  const { snapshots, store } = stores;
  for await (const name of withPauses(await snapshots.list(), signal)) {
    const tree = await snapshots.stat(name);
    const missing = tree?.directories.find((directory) => !existsSync(directory));
    let message: string | undefined;
    if (tree === undefined) message = `Tree ${name} is incomplete`;
    else if (missing !== undefined) message = `Tree ${name} stands on "${missing}", which is missing`;
    else if (existsSync(join(store.snapshot(name), 'fs'))) message = await checkTree(tree, stores, signal);
    if (message !== undefined) yield { kind: 'tree', message, name };
  }
}

/** Skips layers that came compressed: they were packed elsewhere, perhaps with other bytes for the same tree. */
async function checkTree(
  { name, directories }: Snapshot,
  { differ, store }: CheckedStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = `sha256:${name}`;
  const layer = isDigest(result) ? readLayerFile(store.layer(result)) : undefined;
  const upper = directories.at(-1);
  if (layer === undefined || upper === undefined || layer.descriptor.digest !== layer.diffId) return undefined;
  const { diffId } = await differ.pack(upper, directories.slice(0, -1), signal);
  return diffId === layer.diffId
    ? undefined
    : `Tree ${name} was changed: it packs to ${diffId}, expected ${layer.diffId}`;
}

function digestsIn(directory: string): readonly Digest[] {
  return listDirectory(directory)
    .map((name) => `sha256:${name}`)
    .filter(isDigest);
}

function isJson(file: string): boolean {
  const text = readText(file);
  try {
    return text !== undefined && typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
