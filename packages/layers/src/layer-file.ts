import { readFileSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { type ResultId, resultId } from '@tbuild/graph';
import { isDigest, layerCompression, parseDescriptor, type Layer } from '@tbuild/oci';
import { isNoFile } from '@tbuild/store';

/** A layer with what it lies on: enough to make the result's tree from. */
export interface ResultLayer extends Layer {
  /** Null on nothing; undefined where that is not known. */
  readonly parent?: ResultId | null;
}

/** Reads `ROOT/layers/<result>`; a file that a crash of the machine left incomplete is the same as none. */
export function readLayerFile(file: string): ResultLayer | undefined {
  try {
    const { descriptor, diffId, parent }: { descriptor?: unknown; diffId?: unknown; parent?: unknown } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    if (typeof diffId !== 'string' || !isDigest(diffId)) return undefined;
    const base =
      parent === null ? { parent } : typeof parent === 'string' && isDigest(parent) ? { parent: resultId(parent) } : {};
    const blob = parseDescriptor(descriptor);
    return layerCompression(blob.mediaType) === undefined ? undefined : { descriptor: blob, diffId, ...base };
  } catch (error) {
    if (errnoName(error) === undefined || isNoFile(error)) return undefined;
    throw error;
  }
}
