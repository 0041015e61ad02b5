import type { Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, type Descriptor } from '@tbuild/oci';
import { decompressAny, type Decompressed } from './decompress.ts';

/**
 * Reads the decompressed archive of a layer.
 * @throws TbuildError NOT_FOUND if the blob is missing, UNSUPPORTED if the media type is not a layer's.
 */
export async function openLayer(
  layer: Descriptor,
  from: Provider,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  checkLayer(layer);
  return (await decompressLayer(await from.read(layer, signal))).bytes;
}

/** Checks the media type. @throws TbuildError UNSUPPORTED if it is not a layer's. */
export function checkLayer({ mediaType, digest }: Descriptor): void {
  if (layerCompression(mediaType) === undefined)
    throw new TbuildError('UNSUPPORTED', `Layer ${digest} has the unknown media type ${mediaType}`);
}

/** Detects the compression by the bytes: some tools write a wrong media type. */
export function decompressLayer(source: AsyncIterable<Uint8Array>): Promise<Decompressed> {
  return decompressAny(source, ['gzip', 'zstd']);
}
