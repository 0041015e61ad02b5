import type { HttpResponse } from './http-message.ts';
import { RegistryError } from './registry-error.ts';
import { ATTEMPTS, retryDelay, type Clock } from './transport/retry.ts';

export interface ResumeOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** How many bytes there are, where it is known. */
  readonly size?: number;
}

/** Fewer bytes are no progress: an attempt that brings a few bytes each time would never end. */
export const PROGRESS = 64 * 1024;

/**
 * Downloads bytes without verifying them. `open` returns those from an offset on. After a broken connection, or an answer
 * that ends early, the download resumes at that byte, and fails after several attempts without progress.
 */
export async function* resumed(
  open: (offset: number) => Promise<AsyncIterable<Uint8Array>>,
  { clock, signal, size }: ResumeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  let endedEarly = false;
  for (let failures = 0; ;) {
    const start = offset;
    let failure: unknown;
    try {
      for await (const chunk of await open(offset)) {
        offset += chunk.length;
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
    failures = offset - start < PROGRESS ? failures + 1 : 1;
    const isLast = failures >= ATTEMPTS || (failure !== undefined && !isBroken(failure));
    endedEarly ||= failure === undefined;
    // Only the end of the answer is missing.
    if (offset === size && offset > start) return;
    // The reader verifies whether these are all the bytes.
    if (endedEarly && (isLast || offset === start || size === undefined || offset > size)) return;
    if (isLast) throw failure;
    await clock.sleep(retryDelay(failures), signal);
  }
}

/** Returns whether an answer broke off or did not come, as opposed to a refusal, or a server that was never there. */
function isBroken(error: unknown): boolean {
  return (
    error instanceof RegistryError && error.transient && error.status === undefined && error.attempts === undefined
  );
}

/** Returns the header of a request for the bytes from an offset on. */
export function rangeFrom(offset: number): Readonly<Record<string, string>> {
  return offset === 0 ? {} : { range: `bytes=${offset}-` };
}

/**
 * Returns the bytes from an offset on. Some servers ignore ranges and send everything again.
 * @throws RegistryError, which is transient, if the answer is another part.
 */
export async function bytesFrom(
  { status, url, headers, body, discard }: Pick<HttpResponse, 'status' | 'url' | 'headers' | 'body' | 'discard'>,
  offset: number,
): Promise<AsyncIterable<Uint8Array>> {
  if (status !== 206) return without(body, offset);
  const { 'content-range': range = '' } = headers;
  const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? NaN);
  if (start <= offset) return without(body, offset - start);
  await discard();
  const message = `Server ${url.host} sent the part ${JSON.stringify(range)}, expected the bytes from ${offset} on`;
  throw new RegistryError('REGISTRY', message, { url, transient: true });
}

async function* without(source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
