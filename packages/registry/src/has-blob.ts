import type { Digest } from '@tbuild/oci';
import { isWebPage } from './http-message.ts';
import { ask, type Remote } from './remote.ts';

export interface HasBlobOptions {
  /** The media type of a document, which registries keep apart from blobs. */
  readonly document?: string;
  readonly signal?: AbortSignal;
}

/** Returns whether the repository has a blob, or a document of this media type. */
export async function hasBlob(remote: Remote, digest: Digest, { document, signal }: HasBlobOptions): Promise<boolean> {
  const response = await ask(remote, {
    method: 'HEAD',
    target: `${document === undefined ? 'blobs' : 'manifests'}/${digest}`,
    headers: { accept: document ?? '*/*' },
    accept: [200, 404],
    subject: `${digest} of ${remote.name}`,
    signal,
  });
  await response.discard();
  return response.status === 200 && !isWebPage(response);
}
