import type { Descriptor, Digest } from '@tbuild/oci';

/** A blob to look for. */
export interface WantedBlob {
  readonly digest: Digest;
  /** Saves a second request to a registry, which keeps documents apart from blobs. */
  readonly mediaType?: string;
  /** In bytes. A blob of another size counts as missing. */
  readonly size?: number;
}

/** A source of blobs. */
export interface Provider {
  /** Reports whether the blob exists. */
  has(blob: WantedBlob, signal?: AbortSignal): Promise<boolean>;
  /**
   * Reads the bytes of `target` and verifies them on the way: the iteration throws at its end when size or digest differ.
   *
   * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH.
   */
  read(target: Descriptor, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Reads like `read`, in half the time and without garbage, but reuses buffers: a chunk is valid until six more were requested.
   * Absent where it would make no difference.
   */
  readBriefly?(target: Descriptor, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Reports whether reading the blob again after a failure would use another source, such as another mirror. */
  hasSecondPlace?(digest: Digest): boolean;
}

/** A source that can be read again from its start, for destinations that may lose a connection. */
export interface RepeatableSource extends AsyncIterable<Uint8Array> {
  readonly repeatable: true;
}

/** A source as a {@link Provider} returns it: reading fails at the end unless the bytes are those of this blob. */
export interface VerifiedSource extends AsyncIterable<Uint8Array> {
  readonly verified: Digest;
}

/** A destination of blobs. */
export interface Ingester {
  /**
   * Stores bytes under their digest. Refuses bytes that differ from `expected`, and then leaves nothing. Succeeds if the blob exists.
   *
   * @throws TbuildError DIGEST_MISMATCH.
   */
  write(source: AsyncIterable<Uint8Array>, expected?: Descriptor, signal?: AbortSignal): Promise<StoredBlob>;
}

export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** Stores bytes by digest. Implementations pass `@tbuild/content/testsuite`. */
export interface ContentStore extends Provider, Ingester {
  delete(digest: Digest): Promise<void>;
  list(): AsyncIterable<StoredBlob>;
  /**
   * Creates a writer for callers that have the bytes in buffers, without a promise for each. With `verified` it does not hash the
   * bytes: they come from a read that verifies them and ends before the commit.
   */
  createWriter(verified?: Digest): BlobWriter;
}

/** A blob that is being written. Disposing it without a commit leaves nothing. */
export interface BlobWriter extends Disposable {
  /** Copies or writes the bytes before it returns, so that the buffer may be reused. */
  write(bytes: Uint8Array): void;
  /** @throws TbuildError DIGEST_MISMATCH when the digest is not `expected`. */
  commit(expected?: Digest): StoredBlob;
}
