import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalStore } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import { digestOf, hexOf, isDigest, type Descriptor, type Digest, type Layer } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import type { Snapshot, Snapshotter } from '@tbuild/snapshot';
import { listDirectory, readText, writeAtomically, type StoreLayout } from '@tbuild/store';
import pLimit from 'p-limit';
import { compressedForm, isStored, type LayerStore } from './compressed-layers.ts';
import { readLayerFile, type ResultLayer } from './layer-file.ts';
import { LostLayer, LostResult, lostLayerBehind } from './lost-layer.ts';
import type { RemoteLayers } from './remote-layers.ts';
import { showLayer, type ShownLayer } from './show-layer.ts';
import { showWork, type ShownWork } from './show-work.ts';

/** Number of layers to fetch concurrently. */
const TRANSFERS = 4;

/** Names of the files that hold digests of tree parts. */
const HASH = /^[a-f0-9]{64}$/;

/** Makes the tree of a base image. Called only if a step needs its files. */
export type ExtractImage = () => Promise<Snapshot>;

/**
 * The results of finished steps: a tree, a layer, and digests of parts of the tree. All are written once and shared by
 * every build on the store. Tree and layer are made from each other on demand.
 */
export interface StepResults {
  /** Returns whether the result can be used: as a tree, or at least as a layer of an image. */
  has(result: ResultId): Promise<boolean>;
  /**
   * Returns the tree.
   * @throws LostResult, LostLayer if neither tree nor layer is available.
   */
  snapshot(result: ResultId): Promise<Snapshot>;
  /**
   * Returns the layer.
   * @throws as `snapshot`.
   */
  layer(result: ResultId): Promise<Layer>;
  /** Returns the layer if the store has its uncompressed bytes. */
  storedLayer(result: ResultId): Layer | undefined;
  /** Returns the results that an error reports as lost. Empty for any other error. */
  resultsLostBy(error: unknown): readonly ResultId[];
  /**
   * Announces a layer that is being written separately. `layer` waits for it, and packs the tree if it is undefined.
   */
  expectLayer(result: ResultId, layer: Promise<Layer | undefined>): void;
  /** Saves the layer of a result that has the same layer as another one (`--link`). */
  saveLayer(result: ResultId, layer: ResultLayer): void;
  /** Returns the digest of the part of the tree that `selector` describes. Computes it once for all builds. */
  contentDigest(result: ResultId, selector: string, compute: () => Promise<Digest>): Promise<Digest>;
  /** Returns the known digests of parts, by the hash of their selector. */
  contentDigests(result: ResultId): Readonly<Record<string, Digest>>;
  /** Adds digests from another machine, unless this store has the tree or already knows them. */
  addContentDigests(result: ResultId, digests: Readonly<Record<string, Digest>>): Promise<void>;
  addImage(result: ResultId, extract: ExtractImage): void;
  /** Names the cached step of a result. Making the tree from the layer is shown as work of that step. */
  addStep(result: ResultId, step: ShownWork['step']): void;
}

export interface StepResultsOptions {
  /** Reads layers of this build that need not be in the store. */
  readonly remote: RemoteLayers;
  readonly progress: Progress;
  now(): number;
  readonly signal: AbortSignal;
}

/** Stores for results, and the differ that turns trees into layers and back. */
export interface ResultStore {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
}

export function createStepResults(
  stores: ResultStore,
  { remote, progress, now, signal }: StepResultsOptions,
): StepResults {
  const images = new Map<ResultId, ExtractImage>();
  const steps = new Map<ResultId, ShownWork['step']>();
  const snapshots = new Map<ResultId, Promise<Snapshot>>();
  const layers = new Map<ResultId, Promise<Layer>>();
  const layerFile = (result: ResultId): string => stores.store.layer(result);
  /** Results by the layer that this build relies on. */
  const owners = new Map<Digest, Set<ResultId>>();
  const reported = new Set<Digest>();
  const expected = new Map<ResultId, Promise<Layer | undefined>>();

  const fetching = pLimit(TRANSFERS);
  const digestsOf = (result: ResultId): string => stores.store.digestsOf(result);

  /** Returns the layer if its bytes are available. */
  const knownLayer = (result: ResultId): ResultLayer | undefined => {
    const layer = readLayerFile(layerFile(result));
    if (layer === undefined) return undefined;
    const { digest } = layer.descriptor;
    if (!isHeld(layer, stores) && !remote.has(digest)) return undefined;
    owners.set(digest, (owners.get(digest) ?? new Set()).add(result));
    return layer;
  };
  const hasTree = async (result: ResultId): Promise<boolean> =>
    images.has(result) || (await stores.snapshots.stat(hexOf(result))) !== undefined;
  const has = async (result: ResultId): Promise<boolean> => {
    const layers = new Set<ResultId>();
    for (let each: ResultId | null | undefined = result; each !== null; each = knownLayer(each)?.parent) {
      // An imported cache may claim that results form a cycle.
      if (each === undefined || layers.has(each)) return false;
      if (await hasTree(each)) return true;
      layers.add(each);
    }
    return true;
  };
  const findSnapshot = async (result: ResultId): Promise<Snapshot> => {
    const known = await stores.snapshots.stat(hexOf(result));
    if (known !== undefined) return known;
    const extract = images.get(result);
    if (extract !== undefined) return extract();
    const layer = knownLayer(result);
    if (layer?.parent === undefined) throw new LostResult(result);
    const isHere = isStored(layer.descriptor, stores);
    // Waiting for the parent tree must not show this step as started.
    if (isHere && layer.parent !== null) await once(snapshots, layer.parent, findSnapshot);
    const work = (shown?: ShownLayer): Promise<Snapshot> => extractOnto(layer.parent ?? null, result, layer, shown);
    const step = steps.get(result);
    if (step === undefined) return work();
    const shown = { progress, now, step, signal, outcome: 'cached' } as const;
    return showWork(shown, () => work(showLayer(layer.descriptor, { ...shown, step: step.id, isStored: isHere })));
  };
  const extractOnto = async (
    parent: ResultId | null,
    result: ResultId,
    { descriptor, diffId }: Layer,
    shown?: ShownLayer,
  ): Promise<Snapshot> => {
    if (parent !== null)
      await Promise.all([once(snapshots, parent, findSnapshot), fetching(() => fetchLayer(descriptor, shown))]);
    await using active = await stores.snapshots.prepare(parent === null ? undefined : hexOf(parent));
    const extracted = await stores.differ.extract(descriptor, remote.provider, active.upper, {
      lowers: active.lowers,
      signal,
      onProgress: shown?.onExtracted,
    });
    shown?.done();
    if (extracted.diffId === diffId) return active.commit(hexOf(result));
    const message = `Cached layer ${descriptor.digest} unpacks to ${extracted.diffId}, expected ${diffId}`;
    throw new LostLayer(descriptor.digest, new TbuildError('DIGEST_MISMATCH', message));
  };
  /** Fetches a layer. The layers of a chain are fetched concurrently, while those below are extracted. */
  const fetchLayer = async (descriptor: Descriptor, shown?: ShownLayer): Promise<void> => {
    if (isStored(descriptor, stores)) return;
    let fetched = 0;
    for await (const bytes of await remote.provider.read(descriptor, signal))
      shown?.onFetched((fetched += bytes.length));
  };
  const findLayer = async (result: ResultId): Promise<Layer> => {
    const known = knownLayer(result);
    if (known !== undefined) return known;
    const { directories } = await once(snapshots, result, findSnapshot);
    const upper = directories.at(-1);
    if (upper === undefined) throw new Error(`Expected a layer for result ${result}, which is an empty tree`);
    const layer = (await expected.get(result)) ?? (await stores.differ.pack(upper, directories.slice(0, -1), signal));
    writeAtomically(layerFile(result), JSON.stringify(layer));
    return layer;
  };

  return {
    has,
    snapshot: (result) => once(snapshots, result, findSnapshot),
    layer: (result) => once(layers, result, findLayer),
    storedLayer(result) {
      const layer = readLayerFile(layerFile(result));
      if (layer === undefined || layer.descriptor.digest !== layer.diffId) return undefined;
      return isStored(layer.descriptor, stores) ? layer : undefined;
    },
    resultsLostBy(error) {
      if (error instanceof LostResult) return [error.result];
      const loss = lostLayerBehind(error);
      const lost = loss && owners.get(loss.digest);
      if (loss === undefined || lost === undefined) return [];
      for (const result of lost) {
        layers.delete(result);
        rmSync(layerFile(result), { force: true });
      }
      const message = `A cached layer is missing, so its step runs again: ${loss.message}`;
      if (!reported.has(loss.digest)) progress.emit({ type: 'warning', message });
      reported.add(loss.digest);
      return [...lost];
    },
    expectLayer: (result, layer) => void expected.set(result, layer),
    saveLayer: (result, layer) => writeAtomically(layerFile(result), JSON.stringify(layer)),
    async contentDigest(result, selector, compute) {
      const file = join(digestsOf(result), hexOf(digestOf(selector)));
      const known = readText(file);
      if (known !== undefined && isDigest(known)) return known;
      const digest = await compute();
      writeAtomically(file, digest);
      return digest;
    },
    contentDigests(result) {
      const directory = digestsOf(result);
      const read = listDirectory(directory).map((name) => [name, readText(join(directory, name))] as const);
      return Object.fromEntries(
        read.flatMap(([name, text]) =>
          text !== undefined && isDigest(text) && HASH.test(name) ? [[name, text] as const] : [],
        ),
      );
    },
    async addContentDigests(result, digests) {
      if (await hasTree(result)) return;
      for (const [name, digest] of Object.entries(digests)) {
        const file = join(digestsOf(result), name);
        if (!existsSync(file)) writeAtomically(file, digest);
      }
    },
    addImage: (result, extract) => void images.set(result, extract),
    addStep: (result, step) => void steps.set(result, step),
  };
}

function once<T>(
  memo: Map<ResultId, Promise<T>>,
  result: ResultId,
  make: (result: ResultId) => Promise<T>,
): Promise<T> {
  const known = memo.get(result);
  if (known !== undefined) return known;
  const made = make(result);
  memo.set(result, made);
  // Let the next caller try again.
  made.catch(() => memo.delete(result));
  return made;
}

function isHeld({ descriptor, diffId }: Layer, store: LayerStore): boolean {
  if (isStored(descriptor, store)) return true;
  return descriptor.digest === diffId && compressedForm(diffId, store) !== undefined;
}
