import type { Descriptor } from '@tbuild/oci';
import type { HttpResponse } from './http-message.ts';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';
import { ATTEMPTS, retryDelay } from './transport/retry.ts';

/**
 * Downloads a blob without verifying it. After a broken connection the download resumes at that byte, and fails after
 * several attempts without progress.
 */
export async function* download(
  remote: Remote,
  target: Descriptor,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  for (let failures = 0; ;) {
    const start = offset;
    try {
      for await (const chunk of await open(remote, { target, offset, signal })) {
        yield chunk;
        offset += chunk.length;
      }
      return;
    } catch (error) {
      // Only the end of the answer is missing.
      if (offset === target.size && offset > start) return;
      failures = offset > start ? 1 : failures + 1;
      if (!(error instanceof RegistryError && error.transient) || error.status !== undefined || failures >= ATTEMPTS)
        throw error;
      await remote.clock.sleep(retryDelay(failures), signal);
    }
  }
}

interface BlobPart {
  readonly target: Descriptor;
  readonly offset: number;
  readonly signal?: AbortSignal;
}

/** A layer that must not be redistributed is only at its descriptor's URLs. No credentials are sent there. */
async function open(remote: Remote, part: BlobPart): Promise<AsyncIterable<Uint8Array>> {
  const { target } = part;
  const elsewhere = (target.urls ?? []).filter((url) => /^https?:\/\//i.test(url)).map((url) => new URL(url));
  for (const place of [`blobs/${target.digest}`, ...elsewhere]) {
    try {
      return await openAt(place, remote, part);
    } catch (error) {
      if (place === (elsewhere.at(-1) ?? place) || !(error instanceof RegistryError) || error.code !== 'NOT_FOUND')
        throw error;
    }
  }
  throw new Error('A blob has at least one location');
}

async function openAt(
  place: string | URL,
  remote: Remote,
  { target, offset, signal }: BlobPart,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await ask(remote, {
    method: 'GET',
    target: place,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    accept: offset === 0 ? [200] : [200, 206],
    subject: `blob ${target.digest} of ${remote.name}`,
    signal,
  });
  const start = response.status === 206 ? startOf(response) : 0;
  return without(response.body, Math.max(0, offset - start));
}

function startOf(response: HttpResponse): number {
  const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  return Number(start ?? 0);
}

// Some servers ignore ranges and send everything again.
async function* without(source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
