import type { Digest, Layer } from '@tbuild/oci';
import type { ExplanationNote } from './explanation-notes.ts';
import type { StepRecord } from './step-cache.ts';

/** A finished step as it travels between machines. */
export interface CachedStep {
  readonly record: StepRecord;
  /** Absent when the cache only remembers the step: enough for what reads the known parts of its tree. */
  readonly layer?: Layer;
  /** Digests of parts of the result's tree, by the hash of what selects them: keys of `COPY --from` need them. */
  readonly contents: Readonly<Record<string, Digest>>;
}

/** A directory of cache mounts as it travels: its archive, under the mount's id. */
export interface CachedMount {
  /** Hash of the mount's id. */
  readonly name: string;
  readonly layer: Layer;
}

/** What one cache holds. */
export interface CacheContents {
  readonly steps: readonly CachedStep[];
  readonly mounts: readonly CachedMount[];
  /** Reads what the keys of the steps were made of. */
  readonly notes?: (signal: AbortSignal) => Promise<readonly ExplanationNote[]>;
}
