import type { Descriptor, Digest } from '@tbuild/oci';
import type { BlobWriter, StoredBlob } from './content-store.ts';
import { checkBlob, isVerified } from './verified.ts';

export interface IngestOptions {
  createWriter(verified?: Digest): BlobWriter;
  readonly expected?: Descriptor;
  /** Whether the expected blob is there already: then nothing is read. */
  readonly present: boolean;
  readonly signal?: AbortSignal;
}

/** The way of all stores from a source to a committed blob. */
export async function ingest(source: AsyncIterable<Uint8Array>, options: IngestOptions): Promise<StoredBlob> {
  const { expected, signal } = options;
  if (expected !== undefined && options.present) {
    await source[Symbol.asyncIterator]().return?.();
    return { digest: expected.digest, size: expected.size };
  }
  using writer = options.createWriter(
    expected !== undefined && isVerified(source, expected.digest) ? expected.digest : undefined,
  );
  let size = 0;
  for await (const chunk of source) {
    signal?.throwIfAborted();
    writer.write(chunk);
    size += chunk.length;
    // An endless source must not fill the disk before its digest is known to be wrong.
    if (expected !== undefined && size > expected.size) break;
  }
  if (expected !== undefined && size !== expected.size) checkBlob({ digest: expected.digest, size }, expected);
  return writer.commit(expected?.digest);
}
