import type { Digest } from '@tbuild/oci';
import { type Usage } from '@tbuild/store';

/** What builds have fetched and can fetch again. */
export type FetchedKind = 'base image' | 'fetched file' | 'git repository';

/** What a thing in the build cache is. */
export type EntryKind = 'step' | 'tree' | 'cache mount' | FetchedKind;

/** One thing in the build cache that can be removed by itself, once nothing stands on it. */
export interface CacheEntry {
  /** The hash of a result, the name of another tree or of a cache mount. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly keys: readonly Digest[];
  /** The blobs that go with it: they belong to no named image. */
  readonly blobs: readonly Digest[];
  readonly usage: Usage;
  /** Milliseconds since the epoch; what something stands on is used with it. */
  readonly usedAt: number;
  /** Names of the entries that this one stands on. */
  readonly below: readonly string[];
  /** The file or directory that is all there is of it besides blobs; its time is when it was used last. */
  readonly path?: string;
  /** Where it came from. */
  readonly description?: string;
}
