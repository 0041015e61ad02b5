export type { BlobWriter, ContentStore, Ingester, Provider, StoredBlob } from './content-store.ts';
