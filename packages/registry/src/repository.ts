import type { Ingester, Provider } from '@tbuild/content';
import type { Descriptor, Digest } from '@tbuild/oci';

/**
 * The images of one name in a registry. As a {@link Provider} and {@link Ingester} it takes part in
 * `copyImage` like any store: a descriptor's media type says whether it is a manifest or a blob. Broken
 * connections are repaired on the way, wrong bytes never get through.
 */
export interface Repository extends Provider, Ingester {
  /** Registry and path, e.g. `docker.io/library/nginx`. */
  readonly name: string;
  /**
   * What a tag or digest stands for. The document is kept, so that reading it asks nobody again.
   * @throws RegistryError NOT_FOUND, UNAUTHORIZED, REGISTRY; TbuildError UNSUPPORTED for schema 1.
   */
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
  /** The bytes of a manifest or index. @throws as `read`. */
  readManifest(target: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
  /** Stores a manifest or index under a tag or its digest; all that it names has to be there. */
  pushManifest(bytes: Uint8Array, mediaType: string, tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
  /** Gives a manifest or index that is here a tag. */
  tag(target: Descriptor, tag: string, signal?: AbortSignal): Promise<void>;
  /** Takes a blob from another repository of the same registry; false when the registry does not do it. */
  mount(digest: Digest, fromRepository: string, signal?: AbortSignal): Promise<boolean>;
}
