import type { Digest } from '@tbuild/oci';

/** Names a result: a chain ID, the digest of (base result, content), or drawn fresh for a RUN. */
export type ResultId = Digest;

/** A finished step: a fact that is never changed once written. */
export interface StepRecord {
  readonly key: Digest;
  readonly result: ResultId;
  /** The result of the base. */
  readonly parent?: ResultId;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface ListedRecord extends StepRecord {
  /** When it was last used or written, in milliseconds since the epoch. */
  readonly usedAt: number;
}

/** Finished steps by key. */
export interface StepCache {
  get(key: Digest): Promise<StepRecord | undefined>;
  /** The first record under a key wins: returns the one that stands. `replace` is for `--no-cache`. */
  put(record: StepRecord, options?: { readonly replace?: boolean }): Promise<StepRecord>;
  /** Notes that a record was used at this time (milliseconds); false when it is no longer there. */
  touch(key: Digest, at: number): boolean;
  delete(key: Digest): Promise<void>;
  /** Deletes a record unless it was used at or after `limit`, however closely that races. Whether it is gone. */
  deleteUnused(key: Digest, limit: number): boolean;
  list(): AsyncIterable<ListedRecord>;
}
