import type { PlacedCopy } from '@tbuild/copy';
import {
  type Circumstances,
  type LayerPreparation,
  type PendingLayer,
  type Strategy,
  writeLayerInSubprocess,
} from '@tbuild/layers';
import type { Services } from '../../services.ts';
import type { Underway } from '../op-environment.ts';

/** What writing the layer of a copy needs. */
export interface LayerWork {
  readonly services: Pick<Services, 'layerSubprocess' | 'store' | 'content'>;
  readonly preparation: LayerPreparation;
}

/** Collects the facts about this machine and the outputs that decide how to make a layer. */
export function circumstancesOf(
  { services, preparation }: LayerWork,
  { isKeyed }: Pick<Circumstances, 'isKeyed'>,
): Circumstances {
  return {
    isKeyed,
    hasSubprocess: services.layerSubprocess !== undefined,
    compresses: preparation.isWanted,
    needsUncompressed: preparation.needsBytes,
    isIdle: preparation.isIdle(),
  };
}

/** Starts to write the layer of a copy in a second process, where the strategy says so and one can start. */
export function startLayer(
  placed: PlacedCopy,
  strategy: Strategy,
  { services, preparation, signal }: LayerWork & Underway,
): PendingLayer | undefined {
  if (strategy.layer !== 'written-in-subprocess') return undefined;
  return writeLayerInSubprocess(placed, strategy, {
    subprocess: services.layerSubprocess,
    preparation,
    stored: services,
    signal,
  });
}
