import type { Provider } from '@tbuild/content';
import { clampTimes, openLayer } from '@tbuild/diff';
import { layerMediaType, type Layer, type LayerCompression } from '@tbuild/oci';
import { compressLayer, type VariantStore } from './compress-layer.ts';

export interface LayerEncoding {
  /** Stays as it is unless given. */
  readonly compression?: LayerCompression;
  readonly level?: number;
  /** Compress anew what is compressed otherwise. */
  readonly force?: boolean;
  /** No file is newer than this, in milliseconds. */
  readonly latest?: number;
}

export interface LayerWork {
  readonly from: Provider;
  readonly store: VariantStore;
  readonly signal: AbortSignal;
}

/** The layer as it is to be written, its blob in the store when it is another than before. */
export async function encodeLayer(
  layer: Layer,
  { latest, ...encoding }: LayerEncoding,
  work: LayerWork,
): Promise<Layer> {
  const clamped = latest === undefined ? layer : await clampLayer(layer, Math.floor(latest / 1000), work);
  return encoding.compression === undefined
    ? clamped
    : compressLayer(clamped, { ...encoding, compression: encoding.compression }, work);
}

/** The layer with all later times of its files set to `latest`, in seconds; remembered like a compressed one. */
async function clampLayer(
  { descriptor, diffId }: Layer,
  latest: number,
  { from, store, signal }: LayerWork,
): Promise<Layer> {
  const variant = `not-after-${latest}`;
  const known = store.variants.get(diffId, variant);
  if (known !== undefined && (await store.content.has(known.digest, known.mediaType, known.size)))
    return { diffId: known.digest, descriptor: known };
  const clamped = clampTimes(await openLayer(descriptor, from, signal), latest);
  const { digest, size } = await store.content.write(clamped, undefined, signal);
  const blob = { mediaType: layerMediaType('uncompressed'), digest, size };
  store.variants.set(diffId, variant, blob);
  return { diffId: digest, descriptor: blob };
}
