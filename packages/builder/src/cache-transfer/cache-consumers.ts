import { checkDestination, preparing } from '@tbuild/exporter';
import { requireCompression, type LayerConsumer, type VariantStore, type WantedCompression } from '@tbuild/layers';
import type { BuildRequest, CacheExportOptions, CacheExportSpec } from '../request.ts';

/** What compresses layers for the caches that a build exports, while its steps still run. */
export interface CacheConsumers {
  /** For the layers of the images. */
  readonly ofImages: readonly LayerConsumer[];
  /** For those of all other steps. */
  readonly ofOthers: readonly LayerConsumer[];
}

/**
 * The level of layers that no image has, which only later builds read. It takes half the time of the usual level and
 * about a tenth more space.
 */
const LEVEL_OF_OTHERS = 3;

/** Returns what compresses layers for caches, so that the export finds them done. */
export function cacheConsumers({ cacheTo }: Pick<BuildRequest, 'cacheTo'>, store: VariantStore): CacheConsumers {
  const caches = withLayers(cacheTo);
  return {
    ofImages: caches.map((spec) => consumerOf(cacheCompression(spec, { isOfImage: true }), store)),
    ofOthers: caches
      .filter(({ mode }) => mode === 'max')
      .map((spec) => consumerOf(cacheCompression(spec, { isOfImage: false }), store)),
  };
}

/**
 * Checks before the build that its caches can be written, unless their errors are ignored.
 * @throws TbuildError UNSUPPORTED for a compression that Node lacks, USAGE for a directory that cannot be made.
 */
export async function requireCaches({ cacheTo }: Pick<BuildRequest, 'cacheTo'>): Promise<void> {
  for (const spec of withLayers(cacheTo)) {
    if (spec.ignoreError) continue;
    requireCompression(spec);
    if (spec.type === 'local') await checkDestination(spec.path, 'directory');
  }
}

function withLayers(specs: readonly CacheExportSpec[]) {
  return specs.flatMap((spec) => (spec.type === 'inline' || spec.type === 'unknown' ? [] : [spec]));
}

/**
 * Returns how a cache compresses a layer. Layers of images are as a push makes them, so that an image has the same
 * digest whether its steps came from the cache or not.
 */
export function cacheCompression(
  { compression, compressionLevel, forceCompression: force }: CacheExportOptions,
  { isOfImage }: { readonly isOfImage: boolean },
): WantedCompression {
  const level = compressionLevel ?? (compression === 'gzip' && !isOfImage ? LEVEL_OF_OTHERS : undefined);
  return { compression, level, force };
}

function consumerOf({ compression, level, force }: WantedCompression, store: VariantStore): LayerConsumer {
  const { compresses, prepare } = preparing({
    store,
    compression,
    compressionLevel: level,
    forceCompression: force,
  });
  return { compresses, ...(prepare && { prepare: (pending, signal) => prepare(pending, undefined, signal) }) };
}
