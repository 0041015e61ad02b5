import { join } from 'node:path';
import type { Provider } from '@tbuild/content';
import { measureLayer } from '@tbuild/diff';
import { errnoName, hasCode } from '@tbuild/errors';
import { type Descriptor, type Digest } from '@tbuild/oci';
import { readNote, writeNote, type StoreLayout } from '@tbuild/store';

interface Place {
  readonly store: StoreLayout;
  readonly content: Provider;
}

/**
 * Returns the total size of a layer's files in bytes, as Docker reports sizes. Measures each layer once and remembers
 * the size. A layer that is missing or not an archive counts with the size of its blob.
 */
export async function layerSize(layer: Descriptor, { store, content }: Place, signal?: AbortSignal): Promise<number> {
  const file = join(store.digestsOf(layer.digest), 'size');
  const { size: known } = readNote(file) ?? {};
  if (typeof known === 'number') return known;
  try {
    const size = await measureLayer(layer, content, signal);
    remember(file, size);
    return size;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND') || hasCode(error, 'UNSUPPORTED')) return layer.size;
    throw error;
  }
}

/** Remembers a size. In a store that is read-only or full a layer is measured every time. */
function remember(file: string, size: number): void {
  try {
    writeNote(file, { size });
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
}

/** Returns the sum of {@link layerSize} over all layers of an image. */
export async function imageSize(layers: readonly Descriptor[], place: Place): Promise<number> {
  const sizes = new Map<Digest, number>();
  for (const layer of layers) sizes.set(layer.digest, await layerSize(layer, place));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
