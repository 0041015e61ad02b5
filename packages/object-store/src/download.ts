import { ATTEMPTS, type Clock, RegistryError, retryDelay } from '@tbuild/registry';
import type { Bucket } from './bucket.ts';

export interface DownloadOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Downloads an object without verifying it. After a broken connection the download resumes at that byte, and fails after
 * several attempts without progress.
 */
export async function* download(
  bucket: Bucket,
  key: string,
  { clock, signal }: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  for (let failures = 0; ;) {
    const start = offset;
    try {
      for await (const chunk of await bucket.get(key, offset, signal)) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      failures = offset > start ? 1 : failures + 1;
      if (!(error instanceof RegistryError && error.transient) || failures >= ATTEMPTS) throw error;
      await clock.sleep(retryDelay(failures), signal);
    }
  }
}
