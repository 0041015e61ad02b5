import type { ResultId } from '@tbuild/graph';
import type { Digest, Layer } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import type { ShownWork } from '../show-work.ts';
import { createKnownLayers, type KnownLayers } from './known-layers.ts';
import type { ResultLayer } from './layer-file.ts';
import { LostResult } from './lost-layer.ts';
import { once } from './once.ts';
import { createPartDigests } from './part-digests.ts';
import type { ResultStore, StepResultsOptions } from './result-store.ts';
import { createResultTrees, type ExtractImage, type ResultTrees } from './result-trees.ts';

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
  /** Waits for the trees and layers that are being made. Never rejects. */
  settled(): Promise<void>;
}

export function createStepResults(stores: ResultStore, options: StepResultsOptions): StepResults {
  const layers = new Map<ResultId, Promise<Layer>>();
  const expected = new Map<ResultId, Promise<Layer | undefined>>();
  const known = createKnownLayers(stores, options);
  const digests = createPartDigests(stores.store);
  const trees = createResultTrees(stores, known, options);
  const findLayer = async (result: ResultId): Promise<Layer> => {
    const found = known.find(result);
    if (found !== undefined) return found;
    const { directories } = await trees.get(result);
    const upper = directories.at(-1);
    if (upper === undefined) throw new Error(`Expected a layer for result ${result}, which is an empty tree`);
    const layer =
      (await expected.get(result)) ?? (await stores.differ.pack(upper, directories.slice(0, -1), options.signal));
    known.save(result, layer);
    return layer;
  };
  return {
    has: (result) => isAvailable(result, trees, known),
    snapshot: trees.get,
    layer: (result) => once(layers, result, findLayer),
    storedLayer: known.findUncompressed,
    resultsLostBy(error) {
      if (error instanceof LostResult) return [error.result];
      const lost = known.forgetLost(error);
      for (const result of lost) layers.delete(result);
      return lost;
    },
    expectLayer: (result, layer) => void expected.set(result, layer),
    saveLayer: known.save,
    contentDigest: digests.get,
    contentDigests: digests.list,
    async addContentDigests(result, added) {
      if (!(await trees.has(result))) digests.add(result, added);
    },
    addImage: trees.addImage,
    addStep: trees.addStep,
    async settled() {
      await Promise.allSettled([trees.settled(), ...layers.values()]);
    },
  };
}

async function isAvailable(
  result: ResultId,
  trees: Pick<ResultTrees, 'has'>,
  known: Pick<KnownLayers, 'find'>,
): Promise<boolean> {
  const above = new Set<ResultId>();
  for (let each: ResultId | null | undefined = result; each !== null; each = known.find(each)?.parent) {
    // An imported cache may claim that results form a cycle.
    if (each === undefined || above.has(each)) return false;
    if (await trees.has(each)) return true;
    above.add(each);
  }
  return true;
}
