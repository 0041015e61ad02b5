import { join } from 'node:path';
import { layerMediaType, parseDescriptor, type Descriptor, type Digest, type LayerCompression } from '@tbuild/oci';
import { listDirectory, readNote, writeNote, type StoreLayout } from '@tbuild/store';

/** Remembers the blob of each form of a layer, such as `gzip`. The blob may have been pruned since. */
export interface LayerVariants {
  get(diffId: Digest, variant: string): Descriptor | undefined;
  set(diffId: Digest, variant: string, blob: Descriptor): void;
  /** Returns the known compressed forms with the same bytes, but not variants with other file times. */
  compressed(diffId: Digest): readonly Descriptor[];
}

/** With or without a level. */
const COMPRESSED = /^(gzip|zstd)(-\d+)?$/;

/** Stores variants in files `ROOT/variants/<diff ID>/<variant>`, each written once. */
export function createLayerVariants({ variantsOf }: Pick<StoreLayout, 'variantsOf'>): LayerVariants {
  return {
    get: (diffId, variant) => readDescriptor(variantsOf(diffId), variant),
    set: (diffId, variant, blob) => writeNote(join(variantsOf(diffId), variant), blob),
    compressed: (diffId) =>
      listDirectory(variantsOf(diffId))
        .toSorted()
        .filter((name) => COMPRESSED.test(name))
        .flatMap((name) => readDescriptor(variantsOf(diffId), name) ?? []),
  };
}

/** Reads a descriptor. A damaged file counts as missing. */
function readDescriptor(directory: string, variant: string): Descriptor | undefined {
  const note = readNote(join(directory, variant));
  const blob = note && parseDescriptor(note);
  return blob?.mediaType === layerMediaType(compressionOf(variant)) ? blob : undefined;
}

/** Returns the compression of a variant. */
function compressionOf(variant: string): LayerCompression {
  const [, name] = COMPRESSED.exec(variant) ?? [];
  return name === 'gzip' || name === 'zstd' ? name : 'uncompressed';
}
