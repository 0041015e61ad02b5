export type { ActiveSnapshot, Mount, OverlayFlavour, Snapshot, Snapshotter } from './snapshotter.ts';
