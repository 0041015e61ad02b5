import type { Circumstances, LayerPreparation } from '@tbuild/layers';
import type { Services } from '../../services.ts';

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
