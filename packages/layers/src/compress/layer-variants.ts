import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { parseDescriptor, type Descriptor, type Digest } from '@tbuild/oci';
import { listDirectory, writeAtomically, type StoreLayout } from '@tbuild/store';

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
    get: (diffId, variant) => readDescriptor(join(variantsOf(diffId), variant)),
    set: (diffId, variant, blob) => writeAtomically(join(variantsOf(diffId), variant), JSON.stringify(blob)),
    compressed: (diffId) =>
      listDirectory(variantsOf(diffId))
        .toSorted()
        .filter((name) => COMPRESSED.test(name))
        .flatMap((name) => readDescriptor(join(variantsOf(diffId), name)) ?? []),
  };
}

function readDescriptor(path: string): Descriptor | undefined {
  try {
    return parseDescriptor(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    // A file that a crash of the machine left incomplete is the same as none.
    if (errnoName(error) === 'ENOENT' || errnoName(error) === undefined) return undefined;
    throw error;
  }
}
