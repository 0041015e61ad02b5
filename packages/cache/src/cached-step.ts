import type { Digest, Layer } from '@tbuild/oci';
import type { TreeOutline } from '@tbuild/snapshot';
import type { ExplanationNote } from './explanation-notes.ts';
import type { StepRecord } from './step-cache.ts';

/** A finished step of a cache that machines share. */
export interface CachedStep {
  readonly record: StepRecord;
  /** Absent when the cache has the record only, which is enough for steps that read the known parts of its tree. */
  readonly layer?: Layer;
  /** Digests of parts of the result's tree by the hash of their selector, for keys of `COPY --from`. */
  readonly contents: Readonly<Record<string, Digest>>;
}

/** The archive of a cache mount's directory. */
export interface CachedMount {
  /** Hash of the mount's id. */
  readonly name: string;
  readonly layer: Layer;
}

/** Outlines of trees that images are copied onto, by the digest of the result. */
export type CachedOutlines = Readonly<Record<Digest, TreeOutline>>;

/** The contents of one cache. */
export interface CacheContents {
  readonly steps: readonly CachedStep[];
  readonly mounts: readonly CachedMount[];
  readonly outlines?: CachedOutlines;
  /** Reads the parts that the keys of the steps were computed from. */
  readonly notes?: (signal: AbortSignal) => Promise<readonly ExplanationNote[]>;
}
