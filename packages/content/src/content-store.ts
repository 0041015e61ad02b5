import type { Descriptor, Digest } from '@tbuild/oci';

/** Something blobs can be read from. */
export interface Provider {
  /**
   * `mediaType` saves a registry from looking in two places: it keeps documents apart from blobs. With `size` a
   * file that was cut short counts as none.
   */
  has(digest: Digest, mediaType?: string, size?: number, signal?: AbortSignal): Promise<boolean>;
  /**
   * The bytes of `target`, verified while they pass: the iteration throws at its end when size or
   * digest differ.
   * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH.
   */
  read(target: Descriptor, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * As `read`, for who is soon done with each chunk: its bytes stay until six more have been asked for. That takes half the time, and
   * no memory that has to be collected. Absent where it would make no difference.
   */
  readBriefly?(target: Descriptor, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Whether a blob that was not read to a good end would now be read elsewhere, as from another mirror. */
  hasSecondPlace?(digest: Digest): boolean;
}

/** Bytes that can be read from the start again, for destinations that may lose a connection. */
export interface RepeatableSource extends AsyncIterable<Uint8Array> {
  readonly repeatable: true;
}

/** The bytes of this blob as a {@link Provider} gives them: reading fails at the end unless it was them. */
export interface VerifiedSource extends AsyncIterable<Uint8Array> {
  readonly verified: Digest;
}

/** Something blobs can be written to. */
export interface Ingester {
  /**
   * Stores bytes under their digest; with `expected` given, nothing else is accepted and nothing else
   * remains. Writing what is there already is success.
   * @throws TbuildError DIGEST_MISMATCH.
   */
  write(source: AsyncIterable<Uint8Array>, expected?: Descriptor, signal?: AbortSignal): Promise<StoredBlob>;
}

export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** Bytes by digest. Implementations pass `@tbuild/content/testsuite`. */
export interface ContentStore extends Provider, Ingester {
  delete(digest: Digest): Promise<void>;
  list(): AsyncIterable<StoredBlob>;
  /**
   * For writers that have the bytes at hand, one buffer after the other, without a promise a buffer. With `verified` the bytes
   * come from a read that proves them to be that blob, and it is committed after its end: they are not hashed again.
   */
  createWriter(verified?: Digest): BlobWriter;
}

/** A blob being written; hashed as the bytes pass. Disposing without commit leaves nothing. */
export interface BlobWriter extends Disposable {
  /** Takes a copy or has written the bytes when it returns: the buffer may be used again. */
  write(bytes: Uint8Array): void;
  /** @throws TbuildError DIGEST_MISMATCH when the digest is not `expected`. */
  commit(expected?: Digest): StoredBlob;
}
