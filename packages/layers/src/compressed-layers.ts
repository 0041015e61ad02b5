import { verified, type LocalStore, type Provider } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { hasCode, TbuildError } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';
import { createLayerVariants } from './compress/layer-variants.ts';

/** The blobs of a store, and what is remembered of compressed forms. */
export interface LayerStore {
  readonly store: Pick<StoreLayout, 'variantsOf'>;
  readonly content: LocalStore;
}

/** Whether the store has the blob, which counts as used from then on. */
export function isStored({ digest, size }: Descriptor, { content }: Pick<LayerStore, 'content'>): boolean {
  return content.use(digest, size);
}

/** A blob that the uncompressed layer was compressed to, if the store has one. */
export function compressedForm(diffId: Digest, kept: LayerStore): Descriptor | undefined {
  return createLayerVariants(kept.store)
    .compressed(diffId)
    .find((blob) => isStored(blob, kept));
}

/** Uncompressed layers that the store has only compressed: of some nobody wanted anything else when they were made. */
export function uncompressing(kept: LayerStore): Provider {
  return {
    has: async (digest) => compressedForm(digest, kept) !== undefined,
    async read(target, signal) {
      const blob = compressedForm(target.digest, kept);
      if (blob === undefined) throw new TbuildError('NOT_FOUND', `The store has no layer ${target.digest}`);
      return uncompressed(blob, target, kept, signal);
    },
  };
}

async function* uncompressed(
  blob: Descriptor,
  target: Descriptor,
  { content }: LayerStore,
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
