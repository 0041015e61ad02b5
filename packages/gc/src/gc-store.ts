import type { StepCache } from '@tbuild/cache';
import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Snapshotter } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';

/** The parts of a store that hold entries. */
export interface GcStore {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  readonly snapshots: Snapshotter;
  readonly cache: StepCache;
  /** Milliseconds since the epoch. */
  now(): number;
}
