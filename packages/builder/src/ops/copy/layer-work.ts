import type { PlacedCopy } from '@tbuild/copy';
import {
  type Circumstances,
  type LayerPreparation,
  type LayerStore,
  type LayerSubprocess,
  type PendingLayer,
  type Strategy,
  writeLayerInSubprocess,
} from '@tbuild/layers';

/** What writing the layer of a copy uses. */
export interface LayerPorts extends LayerStore {
  readonly layerSubprocess?: LayerSubprocess;
  readonly preparation: LayerPreparation;
}

/** Collects the facts about this machine and the outputs that decide how to make a layer. */
export function circumstancesOf(
  { layerSubprocess, preparation }: Pick<LayerPorts, 'layerSubprocess' | 'preparation'>,
  { isKeyed }: Pick<Circumstances, 'isKeyed'>,
): Circumstances {
  return {
    isKeyed,
    hasSubprocess: layerSubprocess !== undefined,
    compresses: preparation.isWanted,
    needsUncompressed: preparation.needsBytes,
    isIdle: preparation.isIdle(),
  };
}

/** A copy whose layer is made as the strategy says. */
export interface LayerToWrite {
  readonly placed: PlacedCopy;
  readonly strategy: Strategy;
}

/** Starts to write the layer of a copy in a second process, where the strategy says so and one can start. */
export function startLayer(
  { placed, strategy }: LayerToWrite,
  { layerSubprocess: subprocess, preparation, store, content }: LayerPorts,
  signal: AbortSignal,
): PendingLayer | undefined {
  if (strategy.layer !== 'written-in-subprocess') return undefined;
  const stored = { store, content };
  return writeLayerInSubprocess(placed, strategy, { subprocess, preparation, stored, signal });
}
