import type { Ingester, Provider } from '@tbuild/content';
import type { Descriptor, Digest } from '@tbuild/oci';

/** The bytes of a manifest or index. */
export interface ManifestBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** A manifest in a registry. */
export interface PushedManifest extends Descriptor {
  /** The subject of the manifest, if the registry lists it among the referrers of that. Others need a tag for it. */
  readonly listedUnder?: string;
}

/**
 * The images of one name in a registry. As a {@link Provider} and {@link Ingester} it works with `copyImage` like any
 * store: a descriptor's media type distinguishes manifests from blobs. Broken connections are repaired, and wrong bytes
 * are refused.
 */
export interface Repository extends Provider, Ingester {
  /** Registry and path, e.g. `docker.io/library/nginx`. */
  readonly name: string;
  /**
   * Resolves a tag or digest. Keeps the document, so that reading it needs no request.
   * @throws RegistryError NOT_FOUND, UNAUTHORIZED, REGISTRY; TbuildError UNSUPPORTED for schema 1.
   */
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
  /**
   * Returns the digest that a tag has now, by a request without a body. Returns undefined if the registry does not tell.
   * @throws as `resolve`.
   */
  digestOf(tag: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Returns the bytes of a manifest or index. @throws as `read`. */
  readManifest(target: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
  /** Stores a manifest or index under a tag or its digest. Its content must be stored before. */
  pushManifest(manifest: ManifestBytes, tagOrDigest: string, signal?: AbortSignal): Promise<PushedManifest>;
  /** Tags a stored manifest or index. */
  tag(target: Descriptor, tag: string, signal?: AbortSignal): Promise<void>;
  /** Returns all tags. */
  tags(signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Removes a tag; what other tags name stays.
   * @throws RegistryError for a tag that does not exist, and where the registry allows no deletion.
   */
  untag(tag: string, signal?: AbortSignal): Promise<void>;
  /** Mounts a blob from another repository of the same registry. Returns false if the registry does not support it. */
  mount(digest: Digest, fromRepository: string, signal?: AbortSignal): Promise<boolean>;
}
