import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeCache, type EncodedCache } from '@tbuild/cache';
import { createLocalStore, fromBytes, type LocalStore, type Provider } from '@tbuild/content';
import { errnoName } from '@tbuild/errors';
import { addToLayoutIndex } from '@tbuild/exporter';
import { makeDirectory } from '@tbuild/linux';
import {
  Annotation,
  childrenOf,
  type Descriptor,
  type Digest,
  isIndexType,
  isManifestType,
  parseManifest,
} from '@tbuild/oci';

/** A cache, and where its layers are. */
export interface CacheToWrite {
  readonly cache: EncodedCache;
  readonly from: Provider;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  onProgress(blob: Descriptor, bytes: number): void;
}

/**
 * Writes a cache to a directory in OCI image layout and replaces the entry with its tag. Deletes unreferenced blobs, so
 * that the directory does not grow from build to build.
 */
export async function writeCacheLayout(
  { cache, from }: CacheToWrite,
  { path, tag }: { readonly path: string; readonly tag: string },
  { signal, onProgress }: WriteOptions,
): Promise<void> {
  makeDirectory(path);
  const temporaryDirectory = join(path, UNFINISHED);
  const store = createLocalStore(path, { temporaryDirectory });
  await writeCache(
    cache,
    { from, to: store },
    {
      signal,
      onProgress,
      async writeManifest({ bytes, descriptor }) {
        await store.write(fromBytes(bytes), descriptor);
      },
    },
  );
  const entry = { ...cache.manifest.descriptor, annotations: { [Annotation.refName]: tag } };
  const entries = addToLayoutIndex(path, [entry]);
  await deleteUnnamed(store, entries);
  rmSync(temporaryDirectory, { recursive: true, force: true });
}

/** Holds blobs that are being written, also those of a killed build. The directory may be one in which `tmp` is somebody's. */
const UNFINISHED = '.tbuild-unfinished';

async function deleteUnnamed(store: LocalStore, entries: readonly Descriptor[]): Promise<void> {
  const named = new Set<Digest>();
  const pending = [...entries];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (named.has(next.digest)) continue;
    named.add(next.digest);
    if (isIndexType(next.mediaType) || isManifestType(next.mediaType)) pending.push(...childrenIn(store, next));
  }
  for await (const { digest } of store.list()) if (!named.has(digest)) await store.delete(digest);
}

function childrenIn(store: LocalStore, { digest, mediaType }: Descriptor): readonly Descriptor[] {
  try {
    return childrenOf(parseManifest(readFileSync(store.path(digest)), mediaType));
  } catch (error) {
    // An index may refer to blobs that are stored elsewhere.
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
}
