import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { UnpackLimits } from '@tbuild/diff';
import type { Platform, Reference } from '@tbuild/oci';
import type { Access, Repository } from '@tbuild/registry';

/** The images in the store. */
export interface LocalImages {
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  /** What an archive, or the download of an image, may take. */
  readonly unpackLimits?: UnpackLimits;
  /** Platform of this machine, which selects an image from an index. */
  readonly platform: Platform;
}

/** Access to registries. */
export interface Registries {
  /** Opens a repository. `push` and `delete` request that access immediately. */
  openRepository(reference: Reference, access?: Access): Promise<Repository>;
}
