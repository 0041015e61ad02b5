import type { ResultId, StepKey } from '@tbuild/graph';

/** A finished step. A record never changes. */
export interface StepRecord {
  readonly key: StepKey;
  readonly result: ResultId;
  /** The result of the base. */
  readonly parent?: ResultId;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface ListedRecord extends StepRecord {
  /** The time of last use, in milliseconds since the epoch. */
  readonly usedAt: number;
}

/** Finished steps by key. */
export interface StepCache {
  get(key: StepKey): Promise<StepRecord | undefined>;
  /** Writes a record unless the key has one. Returns the record that the key has then. `replace` is for `--no-cache`. */
  put(record: StepRecord, options?: { readonly replace?: boolean }): Promise<StepRecord>;
  /** Sets the time of last use (milliseconds). Returns false if the record is missing. */
  touch(key: StepKey, at: number): boolean;
  /** Deletes a record unless it was used at or after `limit`, without a race. Returns whether it is gone. */
  deleteUnused(key: StepKey, limit: number): boolean;
  list(): AsyncIterable<ListedRecord>;
}
