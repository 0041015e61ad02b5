import { createHash } from 'node:crypto';
import { verified, type StoredBlob } from '@tbuild/content';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { HttpResponse } from './http-message.ts';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';
import { retryDelay } from './transport/retry.ts';

const ATTEMPTS = 5;
const SMALL = 1024 * 1024;
const BYTES = 'application/octet-stream';

/**
 * Uploads a blob: in one piece when its digest and size are known, in a stream of unknown length
 * otherwise. A source that is repeatable is sent again when the connection breaks.
 */
export async function upload(
  remote: Remote,
  source: AsyncIterable<Uint8Array>,
  expected?: Descriptor,
  signal?: AbortSignal,
): Promise<StoredBlob> {
  if (expected === undefined) return uploadUnknown(remote, source, signal);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await uploadWhole(remote, source, expected, signal);
    } catch (error) {
      if (!('repeatable' in source) || attempt === ATTEMPTS || !mayPass(error, attempt)) throw error;
      await remote.clock.sleep(retryDelay(attempt), signal);
    }
  }
}

// A token may end between the opening of an upload and its bytes; the next attempt has a new one.
function mayPass(error: unknown, attempt: number): boolean {
  return error instanceof RegistryError && (error.transient || (error.status === 401 && attempt === 1));
}

async function uploadWhole(
  remote: Remote,
  source: AsyncIterable<Uint8Array>,
  expected: Descriptor,
  signal?: AbortSignal,
): Promise<StoredBlob> {
  const checked = verified(source, expected);
  const body = expected.size <= SMALL ? await gather(checked) : checked;
  const session = await openSession(remote, expected.digest, signal);
  try {
    const headers = { 'content-type': BYTES, 'content-length': String(expected.size) };
    await finish(remote, session, { digest: expected.digest, body, headers, signal });
    return { digest: expected.digest, size: expected.size };
  } catch (error) {
    await cancel(remote, session, signal);
    throw error;
  }
}

async function uploadUnknown(
  remote: Remote,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<StoredBlob> {
  const hash = createHash('sha256');
  let size = 0;
  const observed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const subject = `new blob of ${remote.name}`;
  const session = await openSession(remote, subject, signal);
  try {
    const headers = { 'content-type': BYTES };
    const sent = await ask(remote, {
      method: 'PATCH',
      target: session,
      access: 'push',
      headers,
      body: observed(),
      accept: [202],
      subject,
      signal,
    });
    await sent.discard();
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    await finish(remote, locationOf(sent, session), { digest, headers: { 'content-length': '0' }, signal });
    return { digest, size };
  } catch (error) {
    await cancel(remote, session, signal);
    throw error;
  }
}

async function openSession(remote: Remote, what: string, signal?: AbortSignal): Promise<URL> {
  const subject = `blob ${what} of ${remote.name}`;
  const headers = { 'content-length': '0' };
  const response = await ask(remote, {
    method: 'POST',
    target: 'blobs/uploads/',
    access: 'push',
    headers,
    accept: [202],
    subject,
    signal,
  });
  await response.discard();
  return locationOf(response, response.url);
}

interface LastBytes {
  readonly digest: Digest;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

async function finish(remote: Remote, session: URL, { digest, headers, body, signal }: LastBytes): Promise<void> {
  const target = new URL(session);
  target.searchParams.append('digest', digest);
  const subject = `blob ${digest} of ${remote.name}`;
  const response = await ask(remote, {
    method: 'PUT',
    target,
    access: 'push',
    headers,
    body,
    accept: [201, 204],
    subject,
    signal,
  });
  await response.discard();
}

/** Takes a blob from another repository of the registry, or says that this is not possible. */
export async function mountBlob(remote: Remote, digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const response = await ask(remote, {
    method: 'POST',
    target: `blobs/uploads/?${query}`,
    access: 'push',
    headers: { 'content-length': '0' },
    scopes: [`repository:${from}:pull`],
    accept: [201, 202, 401, 403, 404, 405],
    subject: `blob ${digest} of ${remote.name}`,
    signal,
  });
  await response.discard();
  if (response.status === 202) await cancel(remote, locationOf(response, response.url), signal);
  return response.status === 201;
}

// Only a kindness: registries drop unfinished uploads by themselves.
async function cancel(remote: Remote, session: URL, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const request = { method: 'DELETE', url: session, access: 'push', headers: {}, signal } as const;
  await remote.send(request).then(
    (response) => response.discard(),
    () => {},
  );
}

// Behind a proxy that ends TLS some registries name themselves without it.
function locationOf(response: HttpResponse, fallback: URL): URL {
  const location = new URL(response.headers.location ?? fallback, response.url);
  if (location.host === response.url.host) location.protocol = response.url.protocol;
  return location;
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
