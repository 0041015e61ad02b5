import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Platform, Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';

/** The images of the store. */
export interface LocalImages {
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  /** The machine's own, which chooses from an index. */
  readonly platform: Platform;
}

/** The way to registries. */
export interface Registries {
  /** `push` asks for the right to write at once. */
  openRepository(reference: Reference, access?: 'pull' | 'push'): Promise<Repository>;
}
