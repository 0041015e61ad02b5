export type {
  BlobWriter,
  ContentStore,
  Ingester,
  Provider,
  RepeatableSource,
  StoredBlob,
  WantedBlob,
} from './content-store.ts';
export { copyImage } from './copy-image.ts';
export type { CopyImageOptions, CopyPlaces } from './copy-image.ts';
export type { ImageRef, ImageRefs, UnnamedImage } from './image-refs.ts';
export { openLayout } from './layout.ts';
export type { Layout } from './layout.ts';
export { createRefs, damagedRefs, isIndexCurrent, isIndexOlder, writeIndex } from './local-refs.ts';
export { createLocalStore } from './local-store.ts';
export type { LocalStore } from './local-store.ts';
export { createMemoryStore } from './memory-store.ts';
export { readBriefly } from './read-briefly.ts';
export { verified } from './verified.ts';
export { fromBytes, readWhole } from './whole-blob.ts';
export { withSecondPlace } from './with-second-place.ts';
export { firstOf, storing, withDocuments } from './providers.ts';
export { readStored, useStored } from './stored-document.ts';
