import type { HttpResponse } from './http-message.ts';
import { RegistryError } from './registry-error.ts';
import { ATTEMPTS, retryDelay, type Clock } from './transport/retry.ts';

export interface ResumeOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** How many bytes there are, where it is known. */
  readonly size?: number;
}

/**
 * Downloads bytes without verifying them. `open` returns those from an offset on. After a broken connection the download
 * resumes at that byte, and fails after several attempts without progress.
 */
export async function* resumed(
  open: (offset: number) => Promise<AsyncIterable<Uint8Array>>,
  { clock, signal, size }: ResumeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  for (let failures = 0; ;) {
    const start = offset;
    try {
      for await (const chunk of await open(offset)) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      // Only the end of the answer is missing.
      if (offset === size && offset > start) return;
      failures = offset > start ? 1 : failures + 1;
      if (!(error instanceof RegistryError && error.transient) || error.status !== undefined || failures >= ATTEMPTS)
        throw error;
      await clock.sleep(retryDelay(failures), signal);
    }
  }
}

/** Returns the header of a request for the bytes from an offset on. */
export function rangeFrom(offset: number): Readonly<Record<string, string>> {
  return offset === 0 ? {} : { range: `bytes=${offset}-` };
}

/** Returns the bytes from an offset on. Some servers ignore ranges and send everything again. */
export function bytesFrom(
  { status, headers, body }: Pick<HttpResponse, 'status' | 'headers' | 'body'>,
  offset: number,
): AsyncIterable<Uint8Array> {
  const range = status === 206 ? /^bytes (\d+)-/.exec(headers['content-range'] ?? '') : undefined;
  return without(body, Math.max(0, offset - Number(range?.[1] ?? 0)));
}

async function* without(source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
