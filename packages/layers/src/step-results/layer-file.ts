import { type ResultId, resultId } from '@tbuild/graph';
import { isDigest, layerCompression, parseDescriptor, type Layer } from '@tbuild/oci';
import { readNote } from '@tbuild/store';

/** A layer and its parent: enough to rebuild the tree of a result. */
export interface ResultLayer extends Layer {
  /** Null for a layer without a parent. Undefined if unknown. */
  readonly parent?: ResultId | null;
}

/** Reads `ROOT/layers/<result>`. A damaged file counts as missing. */
export function readLayerFile(file: string): ResultLayer | undefined {
  const { descriptor, diffId, parent } = readNote(file) ?? {};
  if (typeof diffId !== 'string' || !isDigest(diffId)) return undefined;
  const base =
    parent === null ? { parent } : typeof parent === 'string' && isDigest(parent) ? { parent: resultId(parent) } : {};
  const blob = parseDescriptor(descriptor);
  return layerCompression(blob.mediaType) === undefined ? undefined : { descriptor: blob, diffId, ...base };
}
