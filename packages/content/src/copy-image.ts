import { getOrMake } from '@tbuild/concurrency';
import pLimit, { type LimitFunction } from 'p-limit';
import { childrenOf, isIndexType, isManifestType, parseManifest, type Descriptor, type Digest } from '@tbuild/oci';
import type { Ingester, Provider, RepeatableSource, VerifiedSource } from './content-store.ts';
import { fromBytes, readWhole } from './whole-blob.ts';
import { withSecondPlace } from './with-second-place.ts';

export interface CopyImageOptions {
  readonly signal?: AbortSignal;
  /** How many blobs are on their way at once; 4 unless given. */
  readonly concurrency?: number;
  /**
   * Bytes of this blob so far; `target.size` when it is done. What was there already is reported once,
   * with its size.
   */
  readonly onProgress?: (target: Descriptor, bytes: number) => void;
  /** Which manifests of an index and which blobs of a manifest to copy; everything unless given. */
  readonly filter?: (child: Descriptor) => boolean;
  /** Tried before a blob is copied: whether the destination took it from a place that it reaches itself. */
  readonly mount?: (blob: Descriptor) => Promise<boolean>;
  /**
   * That a document which the destination has is complete there, as registries see to: nothing below it is
   * looked at. A local store with images fetched in part must not be trusted so.
   */
  readonly trustParents?: boolean;
}

interface Copy extends Omit<CopyImageOptions, 'signal' | 'concurrency'> {
  readonly from: Provider;
  readonly to: Provider & Ingester;
  readonly signal: AbortSignal;
  readonly limit: LimitFunction;
  /** Every node of the graph once, also when two images share a layer. */
  readonly done: Map<Digest, Promise<void>>;
}

/**
 * Copies an index, a manifest or any single blob with all that it names: children before parents, so
 * that whoever sees a document can read what it names. What is there is skipped. The first failure stops
 * the rest and is thrown when nothing is under way any more.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH and what the two sides throw.
 */
export async function copyImage(
  from: Provider,
  to: Provider & Ingester,
  root: Descriptor,
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
  const present = await copy.limit(() => to.has(node.digest, node.mediaType, node.size, signal));
  if (!present || !copy.trustParents) {
    const bytes = await copy.limit(() => readWhole(present ? to : from, node, signal));
    signal.throwIfAborted();
    const document = parseManifest(bytes, node.mediaType);
    await Promise.all(
      childrenOf(document)
        .filter(filter)
        .map((child) => copyNode(copy, child)),
    );
    // Some registries refuse what is about a manifest that they do not have yet.
    if (document.subject !== undefined) await copy.done.get(document.subject.digest);
    if (!present) await copy.limit(() => to.write(fromBytes(bytes), node, signal));
  }
  copy.onProgress?.(node, node.size);
}

async function copyBlob(copy: Copy, node: Descriptor): Promise<void> {
  const { from, to, signal } = copy;
  signal.throwIfAborted();
  const present = (await to.has(node.digest, node.mediaType, node.size, signal)) || (await copy.mount?.(node)) === true;
  const source = openedAnew(node.digest, async () => counted(copy, node, await from.read(node, signal)));
  if (!present) await withSecondPlace(from, node, () => to.write(source, node, signal), signal);
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
