import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Descriptor, Platform, Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { StoreLayout } from '@tbuild/store';

/** Returns the image or index that an engine has under a name, from then on in the store; undefined for none of the platform. */
export type FindEngineImage = (
  reference: Reference,
  platform: Platform,
  signal: AbortSignal,
) => Promise<Descriptor | undefined>;

/** Where base images come from: the store and registries. */
export interface ImageSources {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  /** Set where an engine's images come before those of the store and of registries. */
  readonly findInEngine?: FindEngineImage;
  openRepository(reference: Reference): Promise<Repository>;
  /** Milliseconds since the epoch. */
  now(): number;
}
