import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalStore } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import { digestOf, hexOf, isDigest, type Descriptor, type Digest, type Layer } from '@tbuild/oci';
import type { Snapshot, Snapshotter } from '@tbuild/snapshot';
import { listDirectory, readText, writeAtomically, type StoreLayout } from '@tbuild/store';
import pLimit from 'p-limit';
import { compressedForm, isStored, type LayerStore } from './compressed-layers.ts';
import type { RemoteLayers } from './remote-layers.ts';
import { LostLayer, LostResult, lostLayerBehind } from './lost-layer.ts';
import { readLayerFile, type ResultLayer } from './layer-file.ts';
import { showLayer, type ShownLayer } from './show-layer.ts';
import { showWork, type ShownWork } from './show-work.ts';

/** How many layers are fetched at once. */
const TRANSFERS = 4;

/** The names under which digests of parts are kept. */
const HASH = /^[a-f0-9]{64}$/;

/** Makes the tree of a base image; only called when a step needs its files. */
export type ExtractImage = () => Promise<Snapshot>;

/**
 * What finished steps gave, by result: a tree, a layer, and digests of parts of the tree. All are
 * written once and shared by every build on the store; tree and layer are made from each other on demand.
 */
export interface StepResults {
  /** Whether the result can be used: as a tree, or at least as a layer of an image. */
  has(result: ResultId): Promise<boolean>;
  /** @throws LostResult, LostLayer when neither tree nor layer can be had after all. */
  snapshot(result: ResultId): Promise<Snapshot>;
  /** @throws as `snapshot`. */
  layer(result: ResultId): Promise<Layer>;
  /** The layer when its bytes are in the store as they are in an archive. */
  storedLayer(result: ResultId): Layer | undefined;
  /** The results that are gone when that is what an error says. */
  resultsLostBy(error: unknown): readonly ResultId[];
  /** For a result whose layer is written besides; what it gives is waited for, and undefined when there is none. */
  expectLayer(result: ResultId, layer: Promise<Layer | undefined>): void;
  /** For a result whose layer is another's (`--link`). */
  saveLayer(result: ResultId, layer: ResultLayer): void;
  /** A digest of a part of the tree that `selector` describes, computed once for all builds. */
  contentDigest(result: ResultId, selector: string, compute: () => Promise<Digest>): Promise<Digest>;
  /** The digests of parts that are known, by the hash of their selector. */
  contentDigests(result: ResultId): Readonly<Record<string, Digest>>;
  /** Takes what another machine has found of a result, unless its tree is here to be looked at, or something is known. */
  addContentDigests(result: ResultId, digests: Readonly<Record<string, Digest>>): Promise<void>;
  addImage(result: ResultId, extract: ExtractImage): void;
  /** Says which cached step gave the result: making its tree from its layer is shown as work of that step. */
  addStep(result: ResultId, step: ShownWork['step']): void;
}

export interface StepResultsOptions {
  /** Layers of this build that the store need not have: where they are read. */
  readonly remote: RemoteLayers;
  readonly progress: Progress;
  now(): number;
  readonly signal: AbortSignal;
}

/** Where results are kept, and what makes trees and layers from each other. */
export interface ResultStore {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
}

export function createStepResults(
  worker: ResultStore,
  { remote, progress, now, signal }: StepResultsOptions,
): StepResults {
  const images = new Map<ResultId, ExtractImage>();
  const steps = new Map<ResultId, ShownWork['step']>();
  const snapshots = new Map<ResultId, Promise<Snapshot>>();
  const layers = new Map<ResultId, Promise<Layer>>();
  const layerFile = (result: ResultId): string => worker.store.layer(result);
  /** Whose layers this build has counted on. */
  const owners = new Map<Digest, Set<ResultId>>();
  const told = new Set<Digest>();
  const expected = new Map<ResultId, Promise<Layer | undefined>>();

  const fetching = pLimit(TRANSFERS);
  const digestsOf = (result: ResultId): string => worker.store.digestsOf(result);

  /** The layer, when its bytes can be had. */
  const knownLayer = (result: ResultId): ResultLayer | undefined => {
    const layer = readLayerFile(layerFile(result));
    if (layer === undefined) return undefined;
    const { digest } = layer.descriptor;
    if (!isHeld(layer, worker) && !remote.has(digest)) return undefined;
    owners.set(digest, (owners.get(digest) ?? new Set()).add(result));
    return layer;
  };
  const hasTree = async (result: ResultId): Promise<boolean> =>
    images.has(result) || (await worker.snapshots.stat(hexOf(result))) !== undefined;
  const has = async (result: ResultId): Promise<boolean> => {
    const layers = new Set<ResultId>();
    for (let each: ResultId | null | undefined = result; each !== null; each = knownLayer(each)?.parent) {
      // A cache can say that results stand on each other.
      if (each === undefined || layers.has(each)) return false;
      if (await hasTree(each)) return true;
      layers.add(each);
    }
    return true;
  };
  const findSnapshot = async (result: ResultId): Promise<Snapshot> => {
    const known = await worker.snapshots.stat(hexOf(result));
    if (known !== undefined) return known;
    const extract = images.get(result);
    if (extract !== undefined) return extract();
    const layer = knownLayer(result);
    if (layer?.parent === undefined) throw new LostResult(result);
    const isHere = isStored(layer.descriptor, worker);
    // What only waits for the tree below has not begun.
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
    await using active = await worker.snapshots.prepare(parent === null ? undefined : hexOf(parent));
    const extracted = await worker.differ.extract(descriptor, remote.provider, active.upper, {
      lowers: active.lowers,
      signal,
      onProgress: shown?.onExtracted,
    });
    shown?.done();
    if (extracted.diffId === diffId) return active.commit(hexOf(result));
    const message = `Layer ${descriptor.digest} of the cache unpacks to ${extracted.diffId}, expected ${diffId}`;
    throw new LostLayer(descriptor.digest, new TbuildError('DIGEST_MISMATCH', message));
  };
  /** Layers of a chain come side by side, while those below are extracted. */
  const fetchLayer = async (descriptor: Descriptor, shown?: ShownLayer): Promise<void> => {
    if (isStored(descriptor, worker)) return;
    let fetched = 0;
    for await (const bytes of await remote.provider.read(descriptor, signal))
      shown?.onFetched((fetched += bytes.length));
  };
  const findLayer = async (result: ResultId): Promise<Layer> => {
    const known = knownLayer(result);
    if (known !== undefined) return known;
    const { directories } = await once(snapshots, result, findSnapshot);
    const upper = directories.at(-1);
    if (upper === undefined) throw new Error(`Result ${result} is an empty tree and has no layer`);
    const layer = (await expected.get(result)) ?? (await worker.differ.pack(upper, directories.slice(0, -1), signal));
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
      return isStored(layer.descriptor, worker) ? layer : undefined;
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
      const message = `A layer of the cache is lost, and its step runs again: ${loss.message}`;
      if (!told.has(loss.digest)) progress.emit({ type: 'warning', message });
      told.add(loss.digest);
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
  // What could not be had may be made again.
  made.catch(() => memo.delete(result));
  return made;
}

function isHeld({ descriptor, diffId }: Layer, worker: LayerStore): boolean {
  if (isStored(descriptor, worker)) return true;
  return descriptor.digest === diffId && compressedForm(diffId, worker) !== undefined;
}
