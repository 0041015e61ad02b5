import { verified, type LocalStore, type Provider } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { hasCode, TbuildError } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';
import { createLayerVariants } from './compress/layer-variants.ts';

/** The blobs of a store and its index of compressed forms. */
export interface LayerStore {
  readonly store: Pick<StoreLayout, 'variantsOf'>;
  readonly content: LocalStore;
}

/** Returns whether the store has the blob, and marks the blob as used. */
export function isStored({ digest, size }: Descriptor, { content }: Pick<LayerStore, 'content'>): boolean {
  return content.use(digest, size);
}

/** Returns a stored compressed form of an uncompressed layer, if there is one. */
export function compressedForm(diffId: Digest, kept: LayerStore): Descriptor | undefined {
  return createLayerVariants(kept.store)
    .compressed(diffId)
    .find((blob) => isStored(blob, kept));
}

/** Reads uncompressed layers of which the store has only a compressed form, by decompressing it. */
export function uncompressing(kept: LayerStore): Provider {
  return {
    has: async ({ digest }) => compressedForm(digest, kept) !== undefined,
    async read(target, signal) {
      const blob = compressedForm(target.digest, kept);
      if (blob === undefined) throw new TbuildError('NOT_FOUND', `Layer ${target.digest} is not in the store`);
      return uncompressed(blob, target, { content: kept.content, signal });
    },
  };
}

async function* uncompressed(
  blob: Descriptor,
  target: Descriptor,
  { content, signal }: Pick<LayerStore, 'content'> & { readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* verified(await openLayer(blob, content, signal), target);
  } catch (error) {
    // Decompression may fail before the end of damaged bytes. Read the rest, so that the store notices the wrong
    // digest.
    if (hasCode(error, 'SNAPSHOT')) for await (const _ of await content.read(blob, signal)) continue;
    if (!hasCode(error, 'UNSUPPORTED')) throw error;
    // Another version of Node may have compressed it.
    throw new TbuildError('NOT_FOUND', `Cannot decompress layer ${target.digest} with this version of Node`, {
      cause: error,
    });
  }
}
