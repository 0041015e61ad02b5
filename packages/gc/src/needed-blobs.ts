import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readStored } from '@tbuild/content';
import {
  childrenOf,
  isDigest,
  isIndexType,
  isManifestType,
  parseManifest,
  type Descriptor,
  type Digest,
} from '@tbuild/oci';
import { listDirectory, readText } from '@tbuild/store';
import type { GcStore } from './gc-store.ts';

/** Returns the blobs of every image that the store keeps, with or without a name. */
export function imageBlobs(stores: GcStore): Set<Digest> {
  return blobsBelow([...stores.refs.list(), ...stores.refs.unnamed()], stores);
}

/** Returns the blobs of every image that has a name. */
export function namedBlobs(stores: GcStore): Set<Digest> {
  return blobsBelow(stores.refs.list(), stores);
}

function blobsBelow(images: readonly { readonly target: Descriptor }[], stores: GcStore): Set<Digest> {
  const seen = new Set<Digest>();
  const pending: Descriptor[] = images.map(({ target }) => target);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next.digest)) continue;
    seen.add(next.digest);
    if (isDocument(next)) pending.push(...childrenIn(next.digest, stores));
  }
  return seen;
}

/** Returns a blob that an image needs and the store lacks. An index may lack the images of other platforms. */
export function missingBlob(target: Descriptor, stores: GcStore): Digest | undefined {
  const { digest, mediaType } = target;
  if (!hasFile(digest, stores)) return digest;
  if (!isDocument(target)) return undefined;
  const children = childrenIn(digest, stores);
  const needed = isIndexType(mediaType) ? children.filter((child) => hasFile(child.digest, stores)) : children;
  return needed.map((child) => missingBlob(child, stores)).find((missing) => missing !== undefined);
}

function isDocument({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function hasFile(digest: Digest, { content }: GcStore): boolean {
  return statSync(content.path(digest), { throwIfNoEntry: false })?.isFile() === true;
}

/** Returns the blobs that the build cache needs: layers in every form, fetched files, documents and layers of resolved bases. */
export function cachedBlobs(stores: GcStore): readonly Digest[] {
  const { layers, resolved, http } = stores.store;
  const texts = [layers, resolved, http].flatMap(textsIn);
  return texts.flatMap((text) => blobsNamedIn(text, stores));
}

/** Returns the digests in a note, those in a manifest among them, and the compressed forms of layers among them. */
export function blobsNamedIn(text: string, stores: GcStore): readonly Digest[] {
  return digestsIn(text).flatMap((digest) => [
    digest,
    ...(isManifest(digest, stores) ? childrenIn(digest, stores).map((child) => child.digest) : []),
    ...variantsOf(digest, stores),
  ]);
}

function variantsOf(diffId: Digest, { store }: GcStore): readonly Digest[] {
  return textsIn(store.variantsOf(diffId)).flatMap(digestsIn);
}

function digestsIn(text: string): readonly Digest[] {
  return Array.from(text.matchAll(/sha256:[a-f0-9]{64}/g), ([found]) => found).filter(isDigest);
}

function childrenIn(digest: Digest, stores: GcStore): readonly Descriptor[] {
  const bytes = readStored(stores.content, digest);
  return bytes === undefined ? [] : childrenOf(parseManifest(bytes));
}

function textsIn(directory: string): readonly string[] {
  return listDirectory(directory).flatMap((name) => readText(join(directory, name)) ?? []);
}

/** Reads one byte of a small blob to find that it is no manifest, and nothing of a large one. */
function isManifest(digest: Digest, { content }: GcStore): boolean {
  const path = content.path(digest);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? Infinity;
  if (size > 1024 * 1024) return false;
  const fd = openSync(path, 'r');
  try {
    const first = Buffer.alloc(1);
    readSync(fd, first);
    return first.toString() === '{';
  } finally {
    closeSync(fd);
  }
}
