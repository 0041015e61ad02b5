import type { Digest } from '@tbuild/oci';
import { checkBlobs } from './check-blobs.ts';
import { checkImages } from './check-images.ts';
import { checkIndex } from './check-index.ts';
import { checkNotes } from './check-notes.ts';
import { checkTrees } from './check-trees.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { Damage } from './damage.ts';

/**
 * Yields each entry of the store that is damaged: blobs, names of images, records, notes, trees. Keep a lease meanwhile, so
 * that no entry is removed. Removes nothing.
 */
export async function* checkStore(stores: CheckedStore, { full, signal }: CheckOptions): AsyncGenerator<Damage, void> {
  const damaged = new Set<Digest>();
  yield* checkBlobs(stores, damaged, { full, signal });
  yield* checkImages(stores, damaged, signal);
  yield* checkIndex(stores.store, signal);
  yield* checkNotes(stores, signal);
  yield* checkTrees(stores, { full, signal });
}
