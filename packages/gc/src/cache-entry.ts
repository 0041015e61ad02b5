import type { StepKey } from '@tbuild/graph';
import type { Digest } from '@tbuild/oci';
import type { Usage } from '@tbuild/store';

/** Kinds of entries that builds have fetched and can fetch again. */
export type FetchedKind = 'base image' | 'fetched file' | 'git repository';

export type EntryKind = 'step' | 'tree' | 'cache mount' | FetchedKind;

/** One entry of the build cache. It can be removed by itself once no other entry stands on it. */
export interface CacheEntry {
  /** The hash of a result, or the name of another tree or of a cache mount. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly keys: readonly StepKey[];
  /** Blobs that are removed with it. They belong to no named image. */
  readonly blobs: readonly Digest[];
  readonly usage: Usage;
  /** Milliseconds since the epoch. Using an entry uses the entries below it. */
  readonly usedAt: number;
  /** Names of the entries that this one stands on. */
  readonly below: readonly string[];
  /** The file or directory that holds all of the entry besides its blobs. Its mtime is the time of last use. */
  readonly path?: string;
  /** The URL or reference that it was fetched from. */
  readonly description?: string;
}
