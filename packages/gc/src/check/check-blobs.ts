import { lstatSync } from 'node:fs';
import { createLocalStore, type LocalStore } from '@tbuild/content';
import { hasCode } from '@tbuild/errors';
import { createLayerVariants, readLayerFile } from '@tbuild/layers';
import type { Descriptor, Digest } from '@tbuild/oci';
import { listDirectory } from '@tbuild/store';
import { imageDescriptors } from '../needed-blobs.ts';
import { withPauses } from '../pauses.ts';
import { type CheckedStore, type CheckOptions, digestsIn } from './checked-store.ts';
import type { Damage } from './damage.ts';

/** Blobs of at most so many bytes are always hashed. */
const SMALL = 1 << 20;

/** Yields the damaged blobs and adds their digests to `damaged`. */
export async function* checkBlobs(
  stores: CheckedStore,
  damaged: Set<Digest>,
  { full, signal }: CheckOptions,
): AsyncGenerator<Damage, void> {
  const { store } = stores;
  const content = createLocalStore(store.root, { keepCorrupt: true });
  const sizes = full ? new Map<Digest, number>() : await knownSizes(stores, signal);
  for await (const digest of withPauses(digestsIn(store.blobs), signal)) {
    const path = content.path(digest);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    let message: string | undefined;
    if (!stats.isFile()) message = `Blob ${digest} is not a file`;
    // What names a blob may come from a registry, and its size proves no damage.
    else if (full || stats.size <= SMALL || stats.size !== (sizes.get(digest) ?? stats.size))
      message = await hashBlob({ mediaType: '', digest, size: stats.size }, content, signal);
    if (message === undefined) continue;
    damaged.add(digest);
    yield { kind: 'file', message, path };
  }
}

async function hashBlob(blob: Descriptor, content: LocalStore, signal: AbortSignal): Promise<string | undefined> {
  try {
    for await (const _ of await content.read(blob, signal)) continue;
    return undefined;
  } catch (error) {
    if (hasCode(error, 'DIGEST_MISMATCH')) return error.message;
    // A build has removed it in the meantime.
    if (hasCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Returns the sizes of blobs that images and notes about layers name. */
async function knownSizes(stores: CheckedStore, signal: AbortSignal): Promise<ReadonlyMap<Digest, number>> {
  const { store } = stores;
  const variants = createLayerVariants(store);
  const sizes = new Map<Digest, number>();
  const add = (blob: Descriptor | undefined): void => void (blob && sizes.set(blob.digest, blob.size));
  for (const blob of imageDescriptors(stores)) add(blob);
  for await (const result of withPauses(digestsIn(store.layers), signal))
    add(readLayerFile(store.layer(result))?.descriptor);
  for await (const diffId of withPauses(digestsIn(store.variants), signal))
    for (const variant of listDirectory(store.variantsOf(diffId))) add(variants.get(diffId, variant));
  return sizes;
}
