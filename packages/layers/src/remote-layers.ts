import type { Provider } from '@tbuild/content';
import type { Digest, Reference } from '@tbuild/oci';

/** Layers that the store need not have. */
export interface RemoteLayers {
  /** Whether a cache that was imported has the layer; asks nobody. */
  has(digest: Digest): boolean;
  /** The repository of the cache that has the layer, when it is in a registry. */
  repositoryOf(digest: Digest): Reference | undefined;
  /**
   * The store's own layers, and those of the caches, kept in the store while they are read, and only if they are what the
   * cache says of them.
   * @throws LostLayer when the bytes are not what was promised; from then on this place has no such layer.
   */
  readonly provider: Provider;
}
