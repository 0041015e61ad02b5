import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest, type Platform } from '@tbuild/oci';

/** An image that an engine has. */
export interface EngineImage {
  /** The digest of its configuration or, in containerd's store, of its manifest or index. */
  readonly id: Digest;
  /** `NAME@DIGEST` for each registry that it is known to be in. */
  readonly registryDigests: readonly string[];
  readonly platform: Platform;
}

/** An engine of the user, whose images can be read. */
export interface ImageEngine extends AsyncDisposable {
  /** The engine's name for people. */
  readonly name: string;
  /** Returns the image of a name or ID, or undefined. @throws TbuildError when the engine does not answer. */
  find(name: string, signal: AbortSignal): Promise<EngineImage | undefined>;
  /** Returns an image as an archive: that of `docker save`, or an OCI layout. The archive is untrusted input. */
  save(id: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * Reads what Docker's API and `podman image inspect` say about an image.
 * @throws TbuildError PROCESS_FAILED for anything else.
 */
export function parseImage(document: unknown): EngineImage {
  const found = (typeof document === 'object' ? document : undefined) as
    | Readonly<Record<'Id' | 'RepoDigests' | 'Os' | 'Architecture' | 'Variant', unknown>>
    | undefined;
  const id = String(found?.Id).replace(/^(?=[0-9a-f]{64}$)/, 'sha256:');
  if (!isDigest(id)) throw new TbuildError('PROCESS_FAILED', 'The engine described an image without an ID');
  const { RepoDigests: digests, Os: os, Architecture: architecture, Variant: variant } = found ?? {};
  return {
    id,
    registryDigests: Array.isArray(digests) ? digests.map(String) : [],
    platform: {
      os: typeof os === 'string' ? os : '',
      architecture: typeof architecture === 'string' ? architecture : '',
      ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    },
  };
}
