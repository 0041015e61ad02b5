import type { Circumstances, LayerPreparation } from '@tbuild/layers';
import type { Services } from '../../services.ts';

/** What it takes to write the layer of a copy. */
export interface LayerWork {
  readonly services: Pick<Services, 'layerSubprocess' | 'store' | 'content'>;
  readonly preparation: LayerPreparation;
}

/** Collects what the machine and the outputs say about how a layer should come about now. */
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
