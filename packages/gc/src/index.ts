export type { EntryKind } from './cache-entry.ts';
export { dropUnsynced } from './drop-unsynced.ts';
export type { GcStore } from './gc-store.ts';
export { pruneStore } from './prune.ts';
export type { Pruned, PruneOptions } from './prune.ts';
export { usedSpace } from './store-usage.ts';
export type { UsedSpace } from './store-usage.ts';
export { sweepLeftovers } from './sweep-leftovers.ts';
