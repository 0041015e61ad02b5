import type { LintWarning } from '@tbuild/dockerfile';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';

/** The result of a build. */
export interface BuildResult {
  /** The name of the build: `default/default/` and 25 digits and letters, another one each time. */
  readonly ref: string;
  /** One image for each platform. */
  readonly images: readonly {
    readonly platform: Platform;
    /** The digest of its configuration. */
    readonly config: Digest;
    /** The digest of its manifest, if an output made one. */
    readonly manifest?: Digest;
  }[];
  /** The config digest of a single image, or the digest of the index of several. */
  readonly id: Digest;
  /** The manifest or index that was pushed, else the first that an output made. */
  readonly manifest?: Descriptor;
  /** The full references that name the image. */
  readonly names: readonly string[];
  /** Where each output went, as a text for people. */
  readonly destinations: readonly string[];
  readonly warnings: readonly LintWarning[];
}

/** What to prune. Without options, everything that nothing refers to. */
export interface PruneOptions {
  /** Remove the whole build cache, not only what nothing refers to. */
  readonly all?: boolean;
  /** Keep what was used within this many milliseconds. */
  readonly unusedFor?: number;
  /** Remove the least recently used until the cache holds at most this many bytes. */
  readonly maxUsedSpace?: number;
}

/** What a prune removed. */
export interface Pruned {
  readonly bytes: number;
  readonly steps: number;
}

/** One row of what a store holds. */
export interface UsedSpace {
  /** The hash of a step's result; other kinds have other names. */
  readonly name: string;
  readonly kind:
    | 'step'
    | 'tree'
    | 'cache mount'
    | 'base image'
    | 'fetched file'
    | 'git repository'
    | 'image blobs'
    | 'unnamed image blobs'
    | 'store'
    | 'other blobs'
    | 'builds'
    | 'records';
  /** Bytes on disk. Files that several rows share are counted in the first of them only. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt?: number;
  /** The step's name when it last ran here, or the address that a file was fetched from. */
  readonly description?: string;
  /** Whether a prune may remove it. */
  readonly reclaimable: boolean;
}
