import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { StoreLayout } from '@tbuild/store';

/** Where base images come from: the store and registries. */
export interface ImageSources {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  openRepository(reference: Reference): Promise<Repository>;
  /** Milliseconds since the epoch. */
  now(): number;
}
