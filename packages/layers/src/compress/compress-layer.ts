import { setImmediate as nextTurn } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import type { Ingester, Provider } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, layerMediaType, type Descriptor, type Layer, type LayerCompression } from '@tbuild/oci';
import type { PendingLayer } from '../pending-layer.ts';
import { gzip } from './gzip.ts';
import { inPieces } from './in-pieces.ts';
import type { LayerVariants } from './layer-variants.ts';

/** Where compressed layers are kept, so that a second export need not make them again. */
export interface VariantStore {
  readonly content: Provider & Ingester;
  readonly variants: LayerVariants;
}

export interface WantedCompression {
  readonly compression: LayerCompression;
  /** The usual one of the kind unless given. */
  readonly level?: number;
  /** Also what came compressed otherwise. */
  readonly force?: boolean;
}

/**
 * The layer in the wanted compression, its blob in the store. What came compressed from a registry stays as
 * it is unless forced, so that it has the digest that it has there.
 * @throws TbuildError UNSUPPORTED for zstd where Node has none.
 */
export async function compressLayer(
  layer: Layer,
  { compression, level, force = false }: WantedCompression,
  { from, store, signal }: { readonly from: Provider; readonly store: VariantStore; readonly signal: AbortSignal },
): Promise<Layer> {
  const { descriptor, diffId } = layer;
  const present = layerCompression(descriptor.mediaType);
  if (present === compression || (present !== 'uncompressed' && !force)) return layer;
  const variant = variantOf({ compression, level });
  const known = store.variants.get(diffId, variant);
  if (known !== undefined && (await store.content.has(known.digest, known.mediaType, known.size)))
    return { diffId, descriptor: known };
  const bytes = await openLayer(descriptor, from, signal);
  const blob = { ...descriptor, ...(await compress(bytes, { compression, level }, store, signal)) };
  store.variants.set(diffId, variant, blob);
  return { diffId, descriptor: blob };
}

/** {@link compressLayer} for one that is still being written, and is remembered once it is. */
export async function compressPending(
  { layer, bytes }: Required<PendingLayer>,
  wanted: WantedCompression,
  store: VariantStore,
  signal: AbortSignal,
): Promise<void> {
  const blob = await compress(bytes, wanted, store, signal);
  const made = await layer;
  if (made !== undefined) store.variants.set(made.diffId, variantOf(wanted), { ...made.descriptor, ...blob });
}

/** What the compressed form is remembered by. */
export function variantOf({ compression, level }: WantedCompression): string {
  return level === undefined ? compression : `${compression}-${level}`;
}

async function compress(
  bytes: AsyncIterable<Uint8Array>,
  { compression, level }: WantedCompression,
  { content }: VariantStore,
  signal: AbortSignal,
): Promise<Pick<Descriptor, 'mediaType' | 'digest' | 'size'>> {
  const { digest, size } = await content.write(COMPRESSORS[compression](bytes, level, signal), undefined, signal);
  return { mediaType: layerMediaType(compression), digest, size };
}

type Compressor = (
  source: AsyncIterable<Uint8Array>,
  level: number | undefined,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

const COMPRESSORS: Readonly<Record<LayerCompression, Compressor>> = {
  uncompressed: (source) => source,
  gzip: (source, level, signal) => gzip(source, { level, signal }),
  zstd,
};

/** Node's types of the floor version do not know of it. */
const zstdStream: unknown = Reflect.get(zlib, 'createZstdCompress');
/** `ZSTD_c_compressionLevel` of zstd.h. */
const COMPRESSION_LEVEL = 100;
/** Each piece costs a way through the thread pool; Node's own size is 16 KiB. */
const CHUNK = 1 << 20;
/**
 * Compressed while what came before is hashed and written: with Node's own mark one waits for the other. That of the writing side
 * shows in the bytes, since it decides whether the last piece is known to be the last.
 */
const AHEAD = 2 * CHUNK;
/** Of what goes in. The last piece shows in the bytes, so all have one size. */
const PIECE = 4 << 20;

/**
 * Says before anything is built whether layers can be compressed so.
 * @throws TbuildError UNSUPPORTED for zstd where Node has none.
 */
export function requireCompression({ compression }: { readonly compression?: LayerCompression }): void {
  if (compression === 'zstd') openZstd();
}

function openZstd(): (options: object) => NodeJS.ReadWriteStream {
  if (typeof zstdStream === 'function') return (options) => zstdStream(options);
  throw new TbuildError('UNSUPPORTED', `Layers cannot be compressed with zstd by Node ${process.versions.node}`, {
    hint: 'Use Node 22.15 or later, or compression=gzip',
  });
}

async function* zstd(
  source: AsyncIterable<Uint8Array>,
  level: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const params = level === undefined ? {} : { [COMPRESSION_LEVEL]: level };
  const stream = openZstd()({ chunkSize: CHUNK, readableHighWaterMark: AHEAD, params });
  const { pipeline } = await import('node:stream/promises');
  // It asks for the next piece when it is done with the one before; meanwhile that is read.
  let [piece, other] = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)];
  const nextPiece = (): Buffer => ([piece, other] = [other, piece])[0];
  const piped = pipeline(ahead(inPieces(source, nextPiece)), stream);
  try {
    for await (const chunk of stream) if (typeof chunk !== 'string') yield chunk;
  } finally {
    await piped;
  }
}

/** What comes next is got as soon as whoever asked has begun with what came before. */
async function* ahead<T>(source: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  try {
    let next = source.next();
    for (;;) {
      const { value, done } = await next;
      if (done === true) return;
      next = nextTurn().then(() => source.next());
      next.catch(() => {});
      yield value;
    }
  } finally {
    await source.return();
  }
}
