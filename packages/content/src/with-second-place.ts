import type { Digest } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

/** A blob that is read. */
export interface BlobRead {
  readonly from: Provider;
  readonly digest: Digest;
  readonly signal?: AbortSignal;
}

/**
 * Does work that reads a blob, and repeats it once if it fails and the provider would read from another source. Work that fails must
 * leave nothing behind.
 */
export async function withSecondPlace<T>({ from, digest, signal }: BlobRead, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted || from.hasSecondPlace?.(digest) !== true) throw error;
    return work();
  }
}
