import { readAll, verified } from '@tbuild/content';
import type { Descriptor } from '@tbuild/oci';
import { ATTEMPTS, type Clock, createByteReader, isTransientStatus, RegistryError, retryDelay } from '@tbuild/registry';
import type { Bucket } from './bucket.ts';
import { ObjectError } from './object-client.ts';

/** How large blobs are put. In bytes. */
export interface UploadSizes {
  /** A blob up to this size is sent at once. */
  readonly whole: number;
  readonly piece: number;
}

const MiB = 1024 * 1024;
/** A service takes 5 GB at once and 10,000 pieces; a piece that breaks is sent again. */
const SIZES: UploadSizes = { whole: 256 * MiB, piece: 64 * MiB };
const MOST_PIECES = 10_000;
/** Blobs up to this size are held in memory, so that a failure does not read them again. */
const SMALL = MiB;

export interface StreamToPut {
  readonly key: string;
  readonly source: AsyncIterable<Uint8Array>;
  readonly target: Descriptor;
}

export interface PutOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly sizes?: UploadSizes;
}

/**
 * Puts a blob: at once, or a large one in pieces. After a transient failure, a repeatable source is read again for what
 * is missing.
 * @throws TbuildError DIGEST_MISMATCH, and then the bucket has no such object.
 */
export async function putStream(
  bucket: Bucket,
  { key, source, target }: StreamToPut,
  { clock, signal, sizes = SIZES }: PutOptions,
): Promise<void> {
  const { size, digest } = target;
  if (size <= SMALL) {
    const bytes = await readAll(verified(source, target));
    return bucket.put(key, { bytes, size, digest }, signal);
  }
  let done = 0;
  const attempt = (work: () => Promise<void>): Promise<void> =>
    retried(work, { clock, signal, mayRepeat: 'repeatable' in source, reached: () => done });
  if (size <= sizes.whole)
    return attempt(async () => {
      await using reader = createByteReader(verified(source, target));
      await bucket.put(key, { bytes: reader.take(size), size, digest }, signal);
    });
  const piece = Math.max(sizes.piece, Math.ceil(size / MOST_PIECES));
  const upload = await bucket.putInPieces(key, signal);
  try {
    await attempt(async () => {
      await using reader = createByteReader(verified(source, target));
      await reader.skip(done * piece);
      for (; done * piece < size; done += 1) {
        const length = Math.min(piece, size - done * piece);
        await upload.put(done + 1, { bytes: reader.take(length), size: length }, signal);
      }
    });
    await upload.complete(signal);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

interface Attempts {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly mayRepeat: boolean;
  /** Returns how far the work has come. Only failures without progress count. */
  reached(): number;
}

async function retried(work: () => Promise<void>, { clock, signal, mayRepeat, reached }: Attempts): Promise<void> {
  for (let failures = 0; ;) {
    const start = reached();
    try {
      return await work();
    } catch (error) {
      failures = reached() > start ? 1 : failures + 1;
      if (!mayRepeat || !isTransient(error) || failures === ATTEMPTS || signal?.aborted) throw error;
      await clock.sleep(retryDelay(failures), signal);
    }
  }
}

/** Returns whether a request that failed so may be sent again. */
function isTransient(error: unknown): boolean {
  return error instanceof ObjectError
    ? isTransientStatus(error.status)
    : error instanceof RegistryError && error.transient;
}
