import type { Descriptor, Digest } from '@tbuild/oci';
import type { BlobWriter, StoredBlob } from './content-store.ts';
import { checkBlob, isVerified } from './verified.ts';

export interface IngestOptions {
  createWriter(verified?: Digest): BlobWriter;
  readonly expected?: Descriptor;
  /** Whether the expected blob exists, so that nothing is read. */
  readonly present: boolean;
  readonly signal?: AbortSignal;
}

/** Reads a source and commits it as a blob, for every store. */
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
    // An endless source must not fill the disk.
    if (expected !== undefined && size > expected.size) break;
  }
  if (expected !== undefined && size !== expected.size) checkBlob({ digest: expected.digest, size }, expected);
  return writer.commit(expected?.digest);
}
