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
import { isNoFile, listDirectory, readText } from '@tbuild/store';
import type { GcStore } from './gc-store.ts';

/** Returns the blobs of every image that the store keeps, with or without a name. */
export function imageBlobs(stores: GcStore): Set<Digest> {
  return blobsBelow([...stores.refs.list(), ...stores.refs.unnamed()], stores);
}

/** Returns the blobs of every image that has a name. */
export function namedBlobs(stores: GcStore): Set<Digest> {
  return blobsBelow(stores.refs.list(), stores);
}

/** Returns the descriptors of every blob of every image that the store keeps. */
export function imageDescriptors(stores: GcStore): readonly Descriptor[] {
  return descriptorsBelow([...stores.refs.list(), ...stores.refs.unnamed()], stores);
}

function blobsBelow(images: readonly { readonly target: Descriptor }[], stores: GcStore): Set<Digest> {
  return new Set(descriptorsBelow(images, stores).map(({ digest }) => digest));
}

function descriptorsBelow(images: readonly { readonly target: Descriptor }[], stores: GcStore): readonly Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  const pending: Descriptor[] = images.map(({ target }) => target);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next.digest)) continue;
    seen.set(next.digest, next);
    pending.push(...childrenOfImage(next, stores));
  }
  return [...seen.values()];
}

/** Returns the blobs that an index or manifest names. Returns none for other blobs. */
export function childrenOfImage({ digest, mediaType }: Descriptor, stores: GcStore): readonly Descriptor[] {
  return isIndexType(mediaType) || isManifestType(mediaType) ? childrenIn(digest, stores) : [];
}

export function hasFile(digest: Digest, { content }: Pick<GcStore, 'content'>): boolean {
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
  return size <= 1024 * 1024 && firstByteOf(path) === '{';
}

/** Returns nothing for a file that is empty, or that another process has removed. */
function firstByteOf(path: string): string {
  let fd: number | undefined;
  try {
    const first = Buffer.alloc(1);
    fd = openSync(path, 'r');
    return first.toString('latin1', 0, readSync(fd, first));
  } catch (error) {
    if (isNoFile(error)) return '';
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
