import type { Digest } from '@tbuild/oci';
import { ask, type Remote } from './remote.ts';
import { cancelSession, locationOf } from './upload-session.ts';

/** Mounts a blob from another repository of the registry. Returns false if the registry does not support it. */
export async function mountBlob(
  remote: Remote,
  { digest, from }: { readonly digest: Digest; readonly from: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const response = await ask(remote, {
    method: 'POST',
    target: `blobs/uploads/?${query}`,
    access: 'push',
    headers: { 'content-length': '0' },
    scopes: [`repository:${from}:pull`],
    accept: [201, 202, 401, 403, 404, 405],
    subject: `blob ${digest} of ${remote.name}`,
    signal,
  });
  await response.discard();
  if (response.status === 202) await cancelSession(remote, { location: locationOf(response, response.url) }, signal);
  return response.status === 201;
}
