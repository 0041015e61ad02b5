import { TbuildError } from '@tbuild/errors';
import { digestOf, type Digest } from '@tbuild/oci';
import type { BlobWriter, ContentStore } from './content-store.ts';
import { ingest } from './ingest.ts';
import { checkBlob, verified } from './verified.ts';

/** Creates a store in memory, for images that are built in memory and for tests. */
export function createMemoryStore(): ContentStore {
  const blobs = new Map<Digest, Uint8Array>();
  const createWriter = () => createMemoryWriter(blobs);
  return {
    createWriter,
    has: async ({ digest }) => blobs.has(digest),
    async read(target, signal) {
      signal?.throwIfAborted();
      const bytes = blobs.get(target.digest);
      if (bytes === undefined) throw new TbuildError('NOT_FOUND', `Blob ${target.digest} is not in the store`);
      return verified([bytes], target);
    },
    write: async (source, expected, signal) =>
      ingest(source, { createWriter, expected, signal, present: expected !== undefined && blobs.has(expected.digest) }),
    async delete(digest) {
      blobs.delete(digest);
    },
    async *list() {
      for (const [digest, bytes] of blobs) yield { digest, size: bytes.length };
    },
  };
}

function createMemoryWriter(blobs: Map<Digest, Uint8Array>): BlobWriter {
  const chunks: Uint8Array[] = [];
  return {
    write(bytes) {
      chunks.push(Uint8Array.from(bytes));
    },
    commit(expected) {
      const bytes = Buffer.concat(chunks);
      const blob = { digest: digestOf(bytes), size: bytes.length };
      if (expected !== undefined) checkBlob(blob, { digest: expected });
      blobs.set(blob.digest, bytes);
      return blob;
    },
    [Symbol.dispose]() {
      chunks.length = 0;
    },
  };
}
