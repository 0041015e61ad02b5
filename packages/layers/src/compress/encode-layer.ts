import { clampTimes, openLayer } from '@tbuild/diff';
import { hasCode } from '@tbuild/errors';
import { layerMediaType, type Layer, type LayerCompression } from '@tbuild/oci';
import { compressLayer, type LayerWork } from './compress-layer.ts';

export interface LayerEncoding {
  /** Undefined keeps the compression. */
  readonly compression?: LayerCompression;
  readonly level?: number;
  /** Recompress layers that are compressed in another format. */
  readonly force?: boolean;
  /** Upper limit for file times, in milliseconds since the epoch. */
  readonly latest?: number;
}

/** A layer in the form to export. */
export interface EncodedLayer {
  readonly layer: Layer;
  /** Whether its times respect the limit. A layer with newer files keeps them if the limit is before 1970. */
  readonly isClamped: boolean;
}

/** Returns the layer in the form to export. Writes its blob to the store if it differs from the original. */
export async function encodeLayer(
  given: Layer,
  { latest, ...encoding }: LayerEncoding,
  work: LayerWork,
): Promise<EncodedLayer> {
  const clamped = latest === undefined ? undefined : await clampLayer(given, Math.floor(latest / 1000), work);
  const layer = clamped ?? given;
  return {
    layer:
      encoding.compression === undefined
        ? layer
        : await compressLayer(layer, { ...encoding, compression: encoding.compression }, work),
    isClamped: clamped !== undefined,
  };
}

/**
 * Sets all times later than `latest` (in seconds) to `latest`. Remembers the result like a compressed form. Undefined where
 * that cannot be written.
 */
async function clampLayer(
  { descriptor, diffId }: Layer,
  latest: number,
  { from, store, signal }: LayerWork,
): Promise<Layer | undefined> {
  const variant = `not-after-${latest}`;
  const known = store.variants.get(diffId, variant);
  if (known !== undefined && (await store.content.has(known))) return { diffId: known.digest, descriptor: known };
  try {
    const clamped = clampTimes(await openLayer(descriptor, from, signal), latest);
    const { digest, size } = await store.content.write(clamped, undefined, signal);
    const blob = { mediaType: layerMediaType('uncompressed'), digest, size };
    store.variants.set(diffId, variant, blob);
    return { diffId: digest, descriptor: blob };
  } catch (error) {
    if (latest < 0 && hasCode(error, 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
