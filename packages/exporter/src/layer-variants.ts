import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { hexOf, parseDescriptor, type Descriptor, type Digest } from '@tbuild/oci';

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
export function createLayerVariants(root: string): LayerVariants {
  const directory = (diffId: Digest): string => join(root, 'variants', hexOf(diffId));
  return {
    get: (diffId, variant) => readDescriptor(join(directory(diffId), variant)),
    set(diffId, variant, blob) {
      const path = join(directory(diffId), variant);
      const temporary = `${path}-${process.pid}-${randomBytes(6).toString('hex')}`;
      mkdirSync(directory(diffId), { recursive: true });
      writeFileSync(temporary, JSON.stringify(blob), { flag: 'wx' });
      renameSync(temporary, path);
    },
    compressed: (diffId) =>
      namesIn(directory(diffId))
        .sort()
        .filter((name) => COMPRESSED.test(name))
        .flatMap((name) => readDescriptor(join(directory(diffId), name)) ?? []),
  };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
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
