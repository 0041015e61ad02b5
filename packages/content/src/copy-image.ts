import { getOrMake } from '@tbuild/concurrency';
import { childrenOf, isIndexType, isManifestType, parseManifest, type Descriptor, type Digest } from '@tbuild/oci';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Ingester, Provider, RepeatableSource, VerifiedSource } from './content-store.ts';
import { fromBytes, readWhole } from './whole-blob.ts';
import { withSecondPlace } from './with-second-place.ts';

export interface CopyImageOptions {
  readonly signal?: AbortSignal;
  /** How many blobs are copied at the same time. Default: 4. */
  readonly concurrency?: number;
  /** Receives the bytes of a blob so far, and `target.size` at its end. A blob that exists is reported once, with its size. */
  readonly onProgress?: (target: Descriptor, bytes: number) => void;
  /** Chooses manifests of an index and blobs of a manifest. Default: all. */
  readonly filter?: (child: Descriptor) => boolean;
  /** Called before a blob is copied. Reports whether the destination took it from a repository that it has access to. */
  readonly mount?: (blob: Descriptor) => Promise<boolean>;
  /**
   * Skips everything below a document that the destination has. Registries ensure that it is complete; a local store may have
   * partial images.
   */
  readonly trustParents?: boolean;
}

/** Where blobs come from and where they go. */
export interface CopyPlaces {
  readonly from: Provider;
  readonly to: Provider & Ingester;
}

interface Copy extends CopyPlaces, Omit<CopyImageOptions, 'signal' | 'concurrency'> {
  readonly signal: AbortSignal;
  readonly limit: LimitFunction;
  /** Copies each node of the graph once, also when two images share a layer. */
  readonly done: Map<Digest, Promise<void>>;
}

/**
 * Copies an index, a manifest or a single blob with everything that it names. Copies children before parents, so that every document
 * at the destination is complete, and skips blobs that exist. The first failure aborts the other copies and is thrown when they have
 * ended.
 *
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, and the errors of both sides.
 */
export async function copyImage(
  root: Descriptor,
  { from, to }: CopyPlaces,
  options: CopyImageOptions = {},
): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const copy: Copy = { ...options, from, to, signal, limit: pLimit(options.concurrency ?? 4), done: new Map() };
  try {
    await copyNode(copy, root);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(copy.done.values());
    throw error;
  }
}

function copyNode(copy: Copy, node: Descriptor): Promise<void> {
  const isDocument = isIndexType(node.mediaType) || isManifestType(node.mediaType);
  return getOrMake(copy.done, node.digest, () =>
    isDocument ? copyDocument(copy, node) : copy.limit(() => copyBlob(copy, node)),
  );
}

async function copyDocument(copy: Copy, node: Descriptor): Promise<void> {
  const { from, to, signal, filter = () => true } = copy;
  const present = await copy.limit(() => to.has(node, signal));
  if (!present || !copy.trustParents) {
    const bytes = await copy.limit(() => readWhole(present ? to : from, node, signal));
    signal.throwIfAborted();
    const document = parseManifest(bytes, node.mediaType);
    await Promise.all(
      childrenOf(document)
        .filter(filter)
        .map((child) => copyNode(copy, child)),
    );
    // Some registries refuse a referrer before its subject.
    if (document.subject !== undefined) await copy.done.get(document.subject.digest);
    if (!present) await copy.limit(() => to.write(fromBytes(bytes), node, signal));
  }
  copy.onProgress?.(node, node.size);
}

async function copyBlob(copy: Copy, node: Descriptor): Promise<void> {
  const { from, to, signal } = copy;
  signal.throwIfAborted();
  const present = (await to.has(node, signal)) || (await copy.mount?.(node)) === true;
  const source = openedAnew(node.digest, async () => counted(copy, node, await from.read(node, signal)));
  if (!present) await withSecondPlace({ from, digest: node.digest, signal }, () => to.write(source, node, signal));
  copy.onProgress?.(node, node.size);
}

function openedAnew(
  verifiedDigest: Digest,
  open: () => Promise<AsyncIterable<Uint8Array>>,
): RepeatableSource & VerifiedSource {
  return {
    repeatable: true,
    verified: verifiedDigest,
    async *[Symbol.asyncIterator]() {
      yield* await open();
    },
  };
}

async function* counted(
  { onProgress }: Copy,
  node: Descriptor,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  onProgress?.(node, 0);
  for await (const chunk of source) {
    yield chunk;
    bytes += chunk.length;
    if (bytes < node.size) onProgress?.(node, bytes);
  }
}
