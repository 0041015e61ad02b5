import type { LocalStore } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import type { Progress } from '@tbuild/progress';
import type { Snapshotter } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';
import type { RemoteLayers } from './remote-layers.ts';

/** Stores for results, and the differ that turns trees into layers and back. */
export interface ResultStore {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
}

export interface StepResultsOptions {
  /** Reads layers of this build that need not be in the store. */
  readonly remote: RemoteLayers;
  readonly progress: Progress;
  now(): number;
  readonly signal: AbortSignal;
}
