import { fromBytes, type Ingester, type Provider, readAll, type StoredBlob, verified } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { digestOf, MediaType, parseManifest, type Descriptor, type EncodedDocument } from '@tbuild/oci';
import { type Clock, resumed, type ResumeOptions } from '@tbuild/registry';
import type { Bucket } from './bucket.ts';
import { putStream, type UploadSizes } from './put-stream.ts';

/** Where blobs and documents are in a bucket, as BuildKit lays them out. */
export interface ObjectPlaces {
  /** Before all keys, such as `team/`. */
  readonly prefix: string;
  readonly blobsPrefix: string;
  readonly manifestsPrefix: string;
}

export interface ObjectBlobsOptions extends ObjectPlaces {
  readonly clock: Clock;
  /** A blob older than this many milliseconds becomes young again when it is found. */
  readonly touchAfter?: number;
  readonly sizes?: UploadSizes;
}

/** Blobs by digest, and named documents, in a bucket. */
export interface ObjectBlobs extends Provider, Ingester {
  /** @throws TbuildError NOT_FOUND */
  resolve(name: string, signal?: AbortSignal): Promise<Descriptor>;
  /** Stores a document under a name. It replaces the one that had it. */
  putDocument(name: string, document: EncodedDocument, signal?: AbortSignal): Promise<void>;
}

/** The largest document that is read. */
const DOCUMENT_LIMIT = 64 * 1024 * 1024;

/** What S3 copies with one request. */
const TOUCH_LIMIT = 5 * 1024 ** 3;

export function createObjectBlobs(bucket: Bucket, options: ObjectBlobsOptions): ObjectBlobs {
  const { prefix, blobsPrefix, manifestsPrefix, clock, touchAfter, sizes } = options;
  const keyOf = (digest: string): string => `${prefix}${blobsPrefix}${digest}`;
  const nameOf = (name: string): string => `${prefix}${manifestsPrefix}${name}`;
  const documents = new Map<string, Uint8Array>();
  const download = (key: string, { signal, size }: Omit<ResumeOptions, 'clock'>): AsyncIterable<Uint8Array> =>
    resumed((offset) => bucket.get(key, offset, signal), { clock, signal, size });
  const write = async (
    source: AsyncIterable<Uint8Array>,
    blob: Descriptor,
    signal?: AbortSignal,
  ): Promise<StoredBlob> => {
    await putStream(bucket, { key: keyOf(blob.digest), source, target: blob }, { clock, signal, sizes });
    return { digest: blob.digest, size: blob.size };
  };
  return {
    async has({ digest, size }, signal) {
      const found = await bucket.head(keyOf(digest), signal);
      if (found === undefined || (size !== undefined && found.size !== size)) return false;
      if (touchAfter === undefined || clock.now() - found.changedAt < touchAfter) return true;
      // Where it cannot be touched, it is written again.
      if (bucket.touch === undefined || found.size > TOUCH_LIMIT) return false;
      await bucket.touch(keyOf(digest), signal);
      return true;
    },
    async read(target, signal) {
      signal?.throwIfAborted();
      const known = documents.get(target.digest);
      return known === undefined
        ? verified(download(keyOf(target.digest), { signal, size: target.size }), target)
        : fromBytes(known);
    },
    async write(source, expected, signal) {
      if (expected !== undefined) return write(source, expected, signal);
      // A bucket takes only bytes of a known size.
      const bytes = await readAll(source);
      const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
      return write(fromBytes(bytes), blob, signal);
    },
    async resolve(name, signal) {
      const bytes = await readDocument(download(nameOf(name), { signal }));
      const digest = digestOf(bytes);
      documents.set(digest, bytes);
      return { mediaType: parseManifest(bytes).mediaType ?? MediaType.manifest, digest, size: bytes.length };
    },
    async putDocument(name, { bytes }, signal) {
      await bucket.put(nameOf(name), { bytes, size: bytes.length, digest: digestOf(bytes) }, signal);
    },
  };
}

async function readDocument(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > DOCUMENT_LIMIT) throw new TbuildError('REGISTRY', `Document has more than ${DOCUMENT_LIMIT} bytes`);
  }
  return Buffer.concat(chunks);
}
