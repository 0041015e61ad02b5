import type { Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, type Descriptor } from '@tbuild/oci';
import { decompressAny, type Decompressed } from './decompress.ts';

/**
 * The archive of a layer, without its compression.
 * @throws TbuildError NOT_FOUND when the blob is missing, UNSUPPORTED for a media type that is no layer's.
 */
export async function openLayer(
  layer: Descriptor,
  from: Provider,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  checkLayer(layer);
  return (await decompressLayer(await from.read(layer, signal))).bytes;
}

/** @throws TbuildError UNSUPPORTED for a media type that is no layer's. */
export function checkLayer({ mediaType, digest }: Descriptor): void {
  if (layerCompression(mediaType) === undefined)
    throw new TbuildError('UNSUPPORTED', `Layer ${digest} has the unknown media type ${mediaType}`);
}

/** The bytes tell how a layer is compressed: some tools put another way into the media type than they use. */
export function decompressLayer(source: AsyncIterable<Uint8Array>): Promise<Decompressed> {
  return decompressAny(source, ['gzip', 'zstd']);
}
