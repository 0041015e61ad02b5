export { createDiffer } from './create-differ.ts';
export type { DifferOptions } from './create-differ.ts';
export type { Differ, ExtractedLayer, ExtractOptions } from './differ.ts';
export { isArchive, unpackArchive } from './unpack-archive.ts';
export type { UnpackOptions } from './unpack-archive.ts';
export { measureLayer } from './measure-layer.ts';
export { writeTree } from './write-tree.ts';
