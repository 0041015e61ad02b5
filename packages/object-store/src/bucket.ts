import type { Digest } from '@tbuild/oci';

/** An object that a bucket has. */
export interface StoredObject {
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

/** The bytes of one request. */
export interface ObjectBody {
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
  /** In bytes. */
  readonly size: number;
  /** The digest of the bytes, where it is known. A server that checks it refuses other bytes. */
  readonly digest?: Digest;
}

/** An object that is being put in pieces. */
export interface PieceUpload {
  /** Puts the next piece. A piece may be put again until it succeeds. `number` counts from 1. */
  put(number: number, body: ObjectBody, signal?: AbortSignal): Promise<void>;
  /** Makes the object of all pieces. */
  complete(signal?: AbortSignal): Promise<void>;
  /** Drops the pieces. */
  abort(): Promise<void>;
}

/**
 * A bucket: bytes by key, in one service. Keys are paths without a leading slash.
 *
 * @throws TbuildError NOT_FOUND for a missing object or bucket, UNAUTHORIZED, REGISTRY for other refusals. No message
 * contains a credential.
 */
export interface Bucket {
  /** The name in messages, e.g. `s3://bucket`. */
  readonly name: string;
  head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined>;
  /** Reads an object from a byte on. */
  get(key: string, offset: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Puts an object with one request. */
  put(key: string, body: ObjectBody, signal?: AbortSignal): Promise<void>;
  putInPieces(key: string, signal?: AbortSignal): Promise<PieceUpload>;
  /** Makes an object as young as a new one, where rules of the bucket delete old objects. Absent where that costs an upload. */
  touch?(key: string, signal?: AbortSignal): Promise<void>;
}
