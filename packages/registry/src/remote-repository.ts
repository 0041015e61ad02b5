import { readAll, verified, type WantedBlob } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { isIndexType, isManifestType, type Descriptor } from '@tbuild/oci';
import { fetchDigest, fetchDocument, putDocument } from './documents.ts';
import { download } from './download.ts';
import { hasBlob } from './has-blob.ts';
import { mountBlob } from './mount-blob.ts';
import type { Remote } from './remote.ts';
import type { Repository } from './repository.ts';
import { listTags, removeTag } from './tags.ts';
import { upload } from './upload.ts';

/** Implements {@link Repository} with the distribution protocol. */
export function createRemoteRepository(remote: Remote): Repository {
  const readManifest = (target: Descriptor, signal?: AbortSignal): Promise<Uint8Array> =>
    readDocument(remote, target, signal);
  return {
    name: remote.name,
    resolve: (tagOrDigest, signal) => fetchDocument(remote, tagOrDigest, signal),
    digestOf: (tag, signal) => fetchDigest(remote, tag, signal),
    readManifest,
    has: (blob, signal) => has(remote, blob, signal),
    async read(target, signal) {
      signal?.throwIfAborted();
      const source = isDocument(target.mediaType)
        ? [await readManifest(target, signal)]
        : download(remote, target, signal);
      return verified(source, target);
    },
    async write(source, expected, signal) {
      if (expected === undefined || !isDocument(expected.mediaType)) {
        const stored = await upload(remote, { source, expected }, signal);
        remote.blobs.add(stored.digest);
        return stored;
      }
      const bytes = await readAll(verified(source, expected));
      const { mediaType, digest } = expected;
      return putDocument(remote, { bytes, mediaType }, { tagOrDigest: digest, signal });
    },
    pushManifest: (manifest, tagOrDigest, signal) => putDocument(remote, manifest, { tagOrDigest, signal }),
    async tag(target, tag, signal) {
      const bytes = await readManifest(target, signal);
      await putDocument(remote, { bytes, mediaType: target.mediaType }, { tagOrDigest: tag, signal });
    },
    tags: (signal) => listTags(remote, signal),
    untag: (tag, signal) => removeTag(remote, tag, signal),
    async mount(digest, from, signal) {
      const isMounted = await mountBlob(remote, { digest, from }, signal);
      if (isMounted) remote.blobs.add(digest);
      return isMounted;
    },
  };
}

function isDocument(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

async function readDocument(remote: Remote, target: Descriptor, signal?: AbortSignal): Promise<Uint8Array> {
  if (!remote.documents.has(target.digest)) await fetchDocument(remote, target.digest, signal);
  const bytes = remote.documents.get(target.digest);
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `Manifest ${target.digest} is not in ${remote.name}`);
  return bytes;
}

/** Asks about a blob that the repository has only once, but about documents, which anybody may delete, each time. */
async function has(remote: Remote, { digest, mediaType }: WantedBlob, signal?: AbortSignal): Promise<boolean> {
  if (mediaType !== undefined && isDocument(mediaType)) return hasBlob(remote, digest, { document: mediaType, signal });
  if (remote.blobs.has(digest) || (await hasBlob(remote, digest, { signal }))) {
    remote.blobs.add(digest);
    return true;
  }
  return mediaType === undefined && hasBlob(remote, digest, { document: '*/*', signal });
}
