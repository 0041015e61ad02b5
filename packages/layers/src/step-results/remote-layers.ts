import type { Provider } from '@tbuild/content';
import type { TbuildError } from '@tbuild/errors';
import type { Digest, Reference } from '@tbuild/oci';
import type { LostLayer } from './lost-layer.ts';

/** Layers that need not be in the store. */
export interface RemoteLayers {
  /** Returns whether an imported cache lists the layer. Sends no request. */
  has(digest: Digest): boolean;
  /** Returns the repository of the cache that has the layer, if that cache is in a registry. */
  repositoryOf(digest: Digest): Reference | undefined;
  /**
   * Reads layers from the store and the caches. A cached layer is stored while it is read, if it has the promised
   * digest.
   * @throws LostLayer for other bytes. From then on this cache does not list the layer.
   */
  readonly provider: Provider;
  /** Reads layers as `provider` does, but stores none, and leaves it to the caller to compare diff IDs. */
  readonly unchecked: Provider;
  /** Stops listing a layer that is not what its cache promised. Returns the error to throw. */
  lose(digest: Digest, cause: TbuildError): LostLayer;
}
