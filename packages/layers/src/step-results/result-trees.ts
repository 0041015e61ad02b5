import type { ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import type { ShownWork } from '../show-work.ts';
import type { KnownLayers } from './known-layers.ts';
import { LostResult } from './lost-layer.ts';
import { once } from './once.ts';
import { createTreeRestorer } from './restore-tree.ts';
import type { ResultStore, StepResultsOptions } from './result-store.ts';

/** Makes the tree of a base image. Called only if a step needs its files. */
export type ExtractImage = (signal: AbortSignal) => Promise<Snapshot>;

/** The trees of results, made from layers where they are missing. */
export interface ResultTrees {
  /** Returns whether the tree exists, or that of a base image can be extracted. */
  has(result: ResultId): Promise<boolean>;
  /**
   * Returns the tree.
   * @throws LostResult, LostLayer if neither tree nor layer is available.
   */
  get(result: ResultId): Promise<Snapshot>;
  addImage(result: ResultId, extract: ExtractImage): void;
  /** Names the cached step of a result. */
  addStep(result: ResultId, step: ShownWork['step']): void;
  /** Waits for the trees that are being made. Never rejects. */
  settled(): Promise<void>;
}

export function createResultTrees(
  stores: ResultStore,
  known: Pick<KnownLayers, 'find'>,
  options: StepResultsOptions,
): ResultTrees {
  const images = new Map<ResultId, ExtractImage>();
  const steps = new Map<ResultId, ShownWork['step']>();
  const trees = new Map<ResultId, Promise<Snapshot>>();
  const restore = createTreeRestorer(stores, options);
  const get = (result: ResultId): Promise<Snapshot> => once(trees, result, find);
  const find = async (result: ResultId): Promise<Snapshot> => {
    const found = await stores.snapshots.stat(hexOf(result));
    if (found !== undefined) return found;
    const extract = images.get(result);
    if (extract !== undefined) return extract(options.signal);
    const layer = known.find(result);
    if (layer?.parent === undefined) throw new LostResult(result);
    const { parent } = layer;
    const parentTree = parent === null ? undefined : () => get(parent);
    return restore({ result, layer, step: steps.get(result), parentTree });
  };
  return {
    has: async (result) => images.has(result) || (await stores.snapshots.stat(hexOf(result))) !== undefined,
    get,
    addImage: (result, extract) => void images.set(result, extract),
    addStep: (result, step) => void steps.set(result, step),
    async settled() {
      await Promise.allSettled(trees.values());
    },
  };
}
