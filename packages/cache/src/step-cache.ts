import type { ResultId, StepKey } from '@tbuild/graph';

/** A finished step: a fact that is never changed once written. */
export interface StepRecord {
  readonly key: StepKey;
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
  get(key: StepKey): Promise<StepRecord | undefined>;
  /** The first record under a key wins: returns the one that stands. `replace` is for `--no-cache`. */
  put(record: StepRecord, options?: { readonly replace?: boolean }): Promise<StepRecord>;
  /** Notes that a record was used at this time (milliseconds); false when it is no longer there. */
  touch(key: StepKey, at: number): boolean;
  delete(key: StepKey): Promise<void>;
  /** Deletes a record unless it was used at or after `limit`, however closely that races. Whether it is gone. */
  deleteUnused(key: StepKey, limit: number): boolean;
  list(): AsyncIterable<ListedRecord>;
}
