import type { Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, type Descriptor } from '@tbuild/oci';
import { decompress } from './decompress.ts';

/**
 * The archive of a layer, without its compression.
 * @throws TbuildError NOT_FOUND when the blob is missing, UNSUPPORTED for a media type that is no layer's.
 */
export async function openLayer(
  layer: Descriptor,
  from: Provider,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined)
    throw new TbuildError('UNSUPPORTED', `Layer ${layer.digest} has the unknown media type ${layer.mediaType}`);
  return decompress(await from.read(layer, signal), compression);
}
