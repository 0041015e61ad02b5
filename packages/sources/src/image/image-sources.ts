import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { UnpackLimits } from '@tbuild/diff';
import type { Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { StoreLayout } from '@tbuild/store';
import type { Engines } from './engines.ts';

/** Where base images come from: the store, the user's engines and registries. */
export interface ImageSources {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  openRepository(reference: Reference): Promise<Repository>;
  readonly engines: Engines;
  /** What an archive may take. */
  readonly unpackLimits?: UnpackLimits;
  /** Milliseconds since the epoch. */
  now(): number;
}
