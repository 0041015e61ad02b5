export type { ActiveSnapshot, Mount, OverlayFlavour, Snapshot, Snapshotter } from './snapshotter.ts';
export type { Attributes, FileBytes, TreeWriter } from './tree-writer.ts';
