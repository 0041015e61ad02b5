import type { LintWarning } from '@tbuild/dockerfile';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';

/** What a build made. */
export interface BuildResult {
  /** One a platform. */
  readonly images: readonly {
    readonly platform: Platform;
    /** The digest of its configuration. */
    readonly config: Digest;
    /** The digest of its manifest, unless none was made. */
    readonly manifest?: Digest;
  }[];
  /** Config digest of one image, or digest of the index of several. */
  readonly id: Digest;
  /** The manifest or index that was pushed, or else the first that an output made. */
  readonly manifest?: Descriptor;
  /** Full references that the image was given. */
  readonly names: readonly string[];
  /** Where it went, one for each output, for people. */
  readonly destinations: readonly string[];
  readonly warnings: readonly LintWarning[];
}

/** What a prune removes. */
export interface PruneOptions {
  /** The whole build cache, not only what nothing refers to. */
  readonly all?: boolean;
  /** What was used in this many milliseconds stays. */
  readonly unusedFor?: number;
  /** Least recently used goes first until the cache holds at most this many bytes. */
  readonly maxUsedSpace?: number;
}

/** What was removed. */
export interface Pruned {
  readonly bytes: number;
  readonly steps: number;
}

/** One row of what a store holds. */
export interface UsedSpace {
  /** The hash of a step's result; other names for other kinds. */
  readonly name: string;
  readonly kind:
    | 'step'
    | 'tree'
    | 'cache mount'
    | 'base image'
    | 'fetched file'
    | 'git repository'
    | 'image blobs'
    | 'other blobs'
    | 'records';
  /** Bytes on disk. What several rows share is counted in the first of them only. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt?: number;
  /** The step's name when it ran here last, or where something was fetched from. */
  readonly description?: string;
  /** Whether a prune may take it. */
  readonly reclaimable: boolean;
}
