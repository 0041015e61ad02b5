export { createOverlaySnapshotter, sweepAbandoned } from './overlay-snapshotter.ts';
export { createTreeWriter } from './create-tree-writer.ts';
export { openCommittedTree } from './committed-tree.ts';
export { comesBefore, compareNames, nameOf, parentOf, statListed } from './layered-entry.ts';
export type { LayeredEntry, LayeredTree } from './layered-entry.ts';
export { insertLayer } from './insert-layer.ts';
export { mountedLayers } from './mounted-layers.ts';
export { openLayeredTree } from './layered-tree.ts';
export { isOpaque, isOverlayAttribute, isWhiteout, makeOpaque, makeWhiteout } from './overlay-format.ts';
export { readAttributes, storedTime } from './attributes.ts';
export { readOwner, recordsOwners } from './owner.ts';
export type { ActiveSnapshot, Mount, OverlayFlavour, Snapshot, Snapshotter } from './snapshotter.ts';
export { NotOutlined, openOutline, outlineOf } from './tree-outline.ts';
export type { TreeOutline } from './tree-outline.ts';
export { readStack } from './stack-file.ts';
export { describeFailure } from './snapshot-error.ts';
export type {
  Attributes,
  FileBytes,
  FileSink,
  ReadableTreeWriter,
  SpecialFile,
  TreeWriter,
  WrittenFile,
} from './tree-writer.ts';
