import { statSync } from 'node:fs';
import { verified, type Provider } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { hasCode, TbuildError } from '@tbuild/errors';
import { createLayerVariants } from '@tbuild/exporter';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { Worker } from './worker.ts';

type Store = Pick<Worker, 'root' | 'content'>;

/** Whether the store has the blob. */
export function isStored({ digest, size }: Descriptor, { content }: Pick<Store, 'content'>): boolean {
  return statSync(content.path(digest), { throwIfNoEntry: false })?.size === size;
}

/** A blob that the uncompressed layer was compressed to, if the store has one. */
export function compressedForm(diffId: Digest, store: Store): Descriptor | undefined {
  return createLayerVariants(store.root)
    .compressed(diffId)
    .find((blob) => isStored(blob, store));
}

/** Uncompressed layers that the store has only compressed: of some nobody wanted anything else when they were made. */
export function uncompressing(store: Store): Provider {
  return {
    has: async (digest) => compressedForm(digest, store) !== undefined,
    async read(target, signal) {
      const blob = compressedForm(target.digest, store);
      if (blob === undefined) throw new TbuildError('NOT_FOUND', `The store has no layer ${target.digest}`);
      return uncompressed(blob, target, store, signal);
    },
  };
}

async function* uncompressed(
  blob: Descriptor,
  target: Descriptor,
  { content }: Store,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* verified(await openLayer(blob, content, signal), target);
  } catch (error) {
    // Who unpacks damaged bytes may fail before all are read, which tells that they are not what they were.
    if (hasCode(error, 'SNAPSHOT')) for await (const _ of await content.read(blob, signal)) continue;
    if (!hasCode(error, 'UNSUPPORTED')) throw error;
    // Another version of Node can have compressed it.
    throw new TbuildError('NOT_FOUND', `Layer ${target.digest} cannot be unpacked here`, { cause: error });
  }
}
