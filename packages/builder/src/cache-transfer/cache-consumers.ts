import { preparing } from '@tbuild/exporter';
import type { LayerConsumer, VariantStore } from '@tbuild/layers';
import type { BuildRequest } from '../request.ts';

/** What compresses layers for the caches that a build exports, while its steps still run. */
export interface CacheConsumers {
  /** For the layers of the images. */
  readonly ofImages: readonly LayerConsumer[];
  /** For those of all other steps. */
  readonly ofOthers: readonly LayerConsumer[];
}

/** Returns what compresses layers for caches, so that the export finds them done. */
export function cacheConsumers({ cacheTo }: Pick<BuildRequest, 'cacheTo'>, store: VariantStore): CacheConsumers {
  const consumers = cacheTo.flatMap((spec) => {
    if (spec.type === 'inline' || spec.type === 'unknown') return [];
    const { compresses, prepare } = preparing({ ...spec, store });
    const consumer: LayerConsumer = {
      compresses,
      ...(prepare && { prepare: (pending, signal) => prepare(pending, undefined, signal) }),
    };
    return [{ mode: spec.mode, consumer }];
  });
  return {
    ofImages: consumers.map(({ consumer }) => consumer),
    ofOthers: consumers.flatMap(({ mode, consumer }) => (mode === 'max' ? [consumer] : [])),
  };
}
