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
  const sizes = full ? new Map<Digest, number>() : knownSizes(stores);
  for await (const digest of withPauses(digestsIn(store.blobs), signal)) {
    const path = content.path(digest);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const size = sizes.get(digest) ?? stats.size;
    let message: string | undefined;
    if (!stats.isFile()) message = `Blob ${digest} is not a file`;
    else if (stats.size !== size) message = `Blob ${digest} has ${stats.size} bytes, expected ${size}`;
    else if (full || size <= SMALL) message = await hashBlob({ mediaType: '', digest, size }, content, signal);
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
function knownSizes(stores: CheckedStore): ReadonlyMap<Digest, number> {
  const { store } = stores;
  const variants = createLayerVariants(store);
  const described = [
    ...imageDescriptors(stores),
    ...digestsIn(store.layers).flatMap((result) => readLayerFile(store.layer(result))?.descriptor ?? []),
    ...digestsIn(store.variants).flatMap((diffId) =>
      listDirectory(store.variantsOf(diffId)).flatMap((variant) => variants.get(diffId, variant) ?? []),
    ),
  ];
  return new Map(described.map(({ digest, size }) => [digest, size]));
}
