import { setImmediate as nextTurn } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { abortable, getOrMake } from '@tbuild/concurrency';
import type { Ingester, Provider } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, layerMediaType, type Descriptor, type Layer, type LayerCompression } from '@tbuild/oci';
import type { PendingLayer } from '../pending-layer.ts';
import { gzip } from './gzip.ts';
import { inPieces } from './in-pieces.ts';
import type { LayerVariants } from './layer-variants.ts';

/** Remembers compressed layers, so that a second export does not compress them again. */
export interface VariantStore {
  readonly content: Provider & Ingester;
  readonly variants: LayerVariants;
}

export interface WantedCompression {
  readonly compression: LayerCompression;
  /** Defaults to the compressor's default. */
  readonly level?: number;
  /** Recompress layers that are compressed in another format. */
  readonly force?: boolean;
}

export interface LayerWork {
  readonly from: Provider;
  readonly store: VariantStore;
  readonly signal: AbortSignal;
}

/**
 * Compresses a layer into the store. A layer that a registry delivered compressed stays as it is, and so keeps its
 * digest there, unless `force` is set.
 * @throws TbuildError UNSUPPORTED for zstd if Node lacks it.
 */
export async function compressLayer(layer: Layer, wanted: WantedCompression, work: LayerWork): Promise<Layer> {
  const { store, signal } = work;
  const present = layerCompression(layer.descriptor.mediaType);
  if (present === wanted.compression || (present !== 'uncompressed' && wanted.force !== true)) return layer;
  const variant = variantOf(wanted);
  const known = store.variants.get(layer.diffId, variant);
  if (known !== undefined && (await store.content.has(known))) return { diffId: layer.diffId, descriptor: known };
  const under = getOrMake(underway, store.content, () => new Map<string, Promise<Layer>>());
  const form = `${layer.diffId} ${variant}`;
  const shared = under.get(form);
  if (shared === undefined) {
    const made = makeForm(layer, wanted, work).finally(() => under.delete(form));
    under.set(form, made);
    return made;
  }
  try {
    return await abortable(shared, signal);
  } catch {
    // The other export may have been aborted, or read from elsewhere.
    signal.throwIfAborted();
    return compressLayer(layer, wanted, work);
  }
}

/** The forms that are being made in each store: exports side by side make each of them once. */
const underway = new WeakMap<VariantStore['content'], Map<string, Promise<Layer>>>();

async function makeForm(
  { descriptor, diffId }: Layer,
  wanted: WantedCompression,
  { from, store, signal }: LayerWork,
): Promise<Layer> {
  const bytes = await openLayer(descriptor, from, signal);
  const blob = { ...descriptor, ...(await compress(bytes, wanted, { store, signal })) };
  store.variants.set(diffId, variantOf(wanted), blob);
  return { diffId, descriptor: blob };
}

/**
 * Does the same as {@link compressLayer} for a layer that is still being written. Remembers the form once the layer is
 * complete.
 */
export async function compressPending(
  { layer, bytes }: Required<PendingLayer>,
  wanted: WantedCompression,
  { store, signal }: { readonly store: VariantStore; readonly signal: AbortSignal },
): Promise<void> {
  const blob = await compress(bytes, wanted, { store, signal });
  const made = await layer;
  if (made !== undefined) store.variants.set(made.diffId, variantOf(wanted), { ...made.descriptor, ...blob });
}

/** Returns the name under which the compressed form is remembered. */
export function variantOf({ compression, level }: WantedCompression): string {
  return level === undefined ? compression : `${compression}-${level}`;
}

async function compress(
  bytes: AsyncIterable<Uint8Array>,
  { compression, level }: WantedCompression,
  { store: { content }, signal }: { readonly store: VariantStore; readonly signal: AbortSignal },
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

/** The types of the oldest supported Node lack it. */
const zstdStream: unknown = Reflect.get(zlib, 'createZstdCompress');
/** `ZSTD_c_compressionLevel` of zstd.h. */
const COMPRESSION_LEVEL = 100;
/** Each chunk costs a round trip through the thread pool. Node's default is 16 KiB. */
const CHUNK = 1 << 20;
/**
 * Lets the compressor run while earlier chunks are hashed and written. Only the readable side may be changed: the
 * writable high-water mark affects the bytes, because it decides whether zstd knows which chunk is the last.
 */
const AHEAD = 2 * CHUNK;
/** Size of the input pieces. The size of the last piece affects the bytes, so the size is fixed. */
const PIECE = 4 << 20;

/**
 * Checks before the build that layers can be compressed in this format.
 * @throws TbuildError UNSUPPORTED for zstd if Node lacks it.
 */
export function requireCompression({ compression }: { readonly compression?: LayerCompression }): void {
  if (compression === 'zstd') openZstd();
}

function openZstd(): (options: object) => NodeJS.ReadWriteStream {
  if (typeof zstdStream === 'function') return (options) => zstdStream(options);
  throw new TbuildError('UNSUPPORTED', `Node ${process.versions.node} cannot compress layers with zstd`, {
    hint: 'Use Node 22.15 or later, or use compression=gzip',
  });
}

async function* zstd(
  source: AsyncIterable<Uint8Array>,
  level: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const params = level === undefined ? {} : { [COMPRESSION_LEVEL]: level };
  const stream = openZstd()({ chunkSize: CHUNK, readableHighWaterMark: AHEAD, params });
  const { pipeline } = await import('node:stream/promises');
  // The stream asks for a piece when it has consumed the one before. The next piece is read meanwhile.
  let [piece, other] = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)];
  const nextPiece = (): Buffer => ([piece, other] = [other, piece])[0];
  const piped = pipeline(ahead(inPieces(source, nextPiece)), stream);
  try {
    for await (const chunk of stream) if (typeof chunk !== 'string') yield chunk;
  } finally {
    await piped;
  }
}

/** Reads one item ahead of the consumer. */
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
