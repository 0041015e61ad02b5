import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Platform, Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';

/** The images in the store. */
export interface LocalImages {
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  /** Platform of this machine, which selects an image from an index. */
  readonly platform: Platform;
}

/** Access to registries. */
export interface Registries {
  /** Opens a repository. `push` requests write access immediately. */
  openRepository(reference: Reference, access?: 'pull' | 'push'): Promise<Repository>;
}
