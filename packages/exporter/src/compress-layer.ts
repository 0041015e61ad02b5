import * as zlib from 'node:zlib';
import type { Ingester, Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, layerMediaType, type Layer, type LayerCompression } from '@tbuild/oci';
import { gzip } from './gzip.ts';
import type { LayerVariants } from './layer-variants.ts';

/** Where compressed layers are kept, so that a second export need not make them again. */
export interface VariantStore {
  readonly content: Provider & Ingester;
  readonly variants: LayerVariants;
}

/**
 * The layer in the wanted compression, its blob in the store. Only an uncompressed layer is compressed;
 * what came compressed from a registry stays as it is, so that it has the digest that it has there.
 * @throws TbuildError UNSUPPORTED for zstd where Node has none.
 */
export async function compressLayer(
  layer: Layer,
  compression: LayerCompression,
  { from, store, signal }: { readonly from: Provider; readonly store: VariantStore; readonly signal: AbortSignal },
): Promise<Layer> {
  const { descriptor, diffId } = layer;
  if (compression === 'uncompressed' || layerCompression(descriptor.mediaType) !== 'uncompressed') return layer;
  const known = store.variants.get(diffId, compression);
  if (known !== undefined && (await store.content.has(known.digest))) return { diffId, descriptor: known };
  const compressed = COMPRESSORS[compression](await from.read(descriptor, signal), signal);
  const { digest, size } = await store.content.write(compressed, undefined, signal);
  const blob = { ...descriptor, mediaType: layerMediaType(compression), digest, size };
  store.variants.set(diffId, compression, blob);
  return { diffId, descriptor: blob };
}

type Compressor = (source: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<Uint8Array>;

const COMPRESSORS: Readonly<Record<Exclude<LayerCompression, 'uncompressed'>, Compressor>> = { gzip, zstd };

/** Node's types of the floor version do not know of it. */
const zstdStream: unknown = Reflect.get(zlib, 'createZstdCompress');

async function* zstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof zstdStream !== 'function') {
    throw new TbuildError('UNSUPPORTED', `Layers cannot be compressed with zstd by Node ${process.versions.node}`, {
      hint: 'Use Node 22.15 or later, or compression=gzip',
    });
  }
  const stream: NodeJS.ReadWriteStream = zstdStream();
  const { pipeline } = await import('node:stream/promises');
  const piped = pipeline(source, stream);
  try {
    for await (const chunk of stream) yield Buffer.from(chunk);
  } finally {
    await piped;
  }
}
