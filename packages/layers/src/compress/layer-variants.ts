import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { layerMediaType, parseDescriptor, type Descriptor, type Digest, type LayerCompression } from '@tbuild/oci';
import { listDirectory, readText, writeAtomically, type StoreLayout } from '@tbuild/store';

/** Remembers which blob a layer becomes, such as `gzip`. The blob may have been pruned since. */
export interface LayerVariants {
  get(diffId: Digest, variant: string): Descriptor | undefined;
  set(diffId: Digest, variant: string, blob: Descriptor): void;
  /** Of the layer's own bytes, not of other ones made of it: how it was compressed so far. */
  compressed(diffId: Digest): readonly Descriptor[];
}

/** With a level or without one. */
const COMPRESSED = /^(gzip|zstd)(-\d+)?$/;

/** Variants as the files `ROOT/variants/<diff ID>/<variant>`, each written once. */
export function createLayerVariants({ variantsOf }: Pick<StoreLayout, 'variantsOf'>): LayerVariants {
  return {
    get: (diffId, variant) => readDescriptor(variantsOf(diffId), variant),
    set: (diffId, variant, blob) => writeAtomically(join(variantsOf(diffId), variant), JSON.stringify(blob)),
    compressed: (diffId) =>
      listDirectory(variantsOf(diffId))
        .toSorted()
        .filter((name) => COMPRESSED.test(name))
        .flatMap((name) => readDescriptor(variantsOf(diffId), name) ?? []),
  };
}

/** A file that cannot be what `set` wrote, as after a crash of the machine, is the same as none. */
function readDescriptor(directory: string, variant: string): Descriptor | undefined {
  try {
    const blob = parseDescriptor(JSON.parse(readText(join(directory, variant)) ?? ''));
    return blob.mediaType === layerMediaType(compressionOf(variant)) ? blob : undefined;
  } catch (error) {
    if (errnoName(error) === undefined) return undefined;
    throw error;
  }
}

/** Of the blob that a variant stands for. */
function compressionOf(variant: string): LayerCompression {
  const [, name] = COMPRESSED.exec(variant) ?? [];
  return name === 'gzip' || name === 'zstd' ? name : 'uncompressed';
}
