import { readFileSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { type ResultId, resultId } from '@tbuild/graph';
import { isDigest, layerCompression, parseDescriptor, type Layer } from '@tbuild/oci';
import { isNoFile } from '@tbuild/store';

/** A layer and its parent: enough to rebuild the tree of a result. */
export interface ResultLayer extends Layer {
  /** Null for a layer without a parent. Undefined if unknown. */
  readonly parent?: ResultId | null;
}

/** Reads `ROOT/layers/<result>`. A file that a crash left incomplete counts as missing. */
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
