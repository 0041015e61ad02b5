import type { Digest } from '@tbuild/oci';
import type { HttpResponse } from './http-message.ts';
import { parseLocation } from './parse-location.ts';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';

/** An upload session at the registry ("Pushing Blobs"). */
export interface UploadSession {
  readonly location: URL;
  /** The number of bytes that the registry has. */
  readonly offset: number;
  /** The registry's minimum size of a piece, except the last one. */
  readonly leastChunk: number;
}

/** The subject of a request, and its abort signal. */
interface About {
  readonly subject: string;
  readonly signal?: AbortSignal;
}

export interface Piece {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** In bytes; unknown for a stream of unknown length. */
  readonly length?: number;
}

const BYTES = 'application/octet-stream';
const SESSION_LOST = [400, 404, 405, 410, 416];

export async function openSession(remote: Remote, subject: string, signal?: AbortSignal): Promise<UploadSession> {
  const response = await ask(remote, {
    method: 'POST',
    target: 'blobs/uploads/',
    access: 'push',
    headers: { 'content-length': '0' },
    accept: [202],
    subject,
    signal,
  });
  await response.discard();
  const leastChunk = Number(response.headers['oci-chunk-min-length'] ?? 0) || 0;
  return { location: locationOf(response, response.url), offset: 0, leastChunk };
}

/** Returns the state of a session after a failure, or undefined if the registry no longer has it. */
export async function findSession(
  remote: Remote,
  session: UploadSession,
  { subject, signal }: About,
): Promise<UploadSession | undefined> {
  try {
    const response = await ask(remote, {
      method: 'GET',
      target: session.location,
      access: 'push',
      accept: [200, 202, 204],
      subject,
      signal,
    });
    await response.discard();
    const last = /\d-(\d+)$/.exec(response.headers.range ?? '')?.[1];
    if (last === undefined) return undefined;
    // Registries report `0-0` both for one byte and for none. One byte may be sent again.
    const offset = last === '0' ? 0 : Number(last) + 1;
    return { ...session, location: locationOf(response, session.location), offset };
  } catch (error) {
    if (error instanceof RegistryError && SESSION_LOST.includes(error.status ?? 0)) return undefined;
    throw error;
  }
}

/** Sends the next bytes and returns the session's new state. */
export async function sendPiece(
  remote: Remote,
  { session, body, length }: Piece & { readonly session: UploadSession },
  { subject, signal }: About,
): Promise<UploadSession> {
  const range: Record<string, string> =
    length === undefined
      ? {}
      : { 'content-length': String(length), 'content-range': `${session.offset}-${session.offset + length - 1}` };
  const response = await ask(remote, {
    method: 'PATCH',
    target: session.location,
    access: 'push',
    headers: { 'content-type': BYTES, ...range },
    body,
    accept: [200, 201, 202, 204],
    subject,
    signal,
  });
  await response.discard();
  return { ...session, location: locationOf(response, session.location), offset: session.offset + (length ?? 0) };
}

interface CompleteUpload {
  readonly session: UploadSession;
  readonly digest: Digest;
  readonly last?: Required<Piece>;
}

/** Completes an upload, with all bytes or after them. */
export async function closeSession(
  remote: Remote,
  { session, digest, last }: CompleteUpload,
  signal?: AbortSignal,
): Promise<void> {
  const target = new URL(session.location);
  target.searchParams.append('digest', digest);
  const response = await ask(remote, {
    method: 'PUT',
    target,
    access: 'push',
    headers: { 'content-length': String(last?.length ?? 0), ...(last && { 'content-type': BYTES }) },
    body: last?.body,
    accept: [201, 204],
    subject: `blob ${digest} of ${remote.name}`,
    signal,
  });
  await response.discard();
}

/** Optional: registries drop unfinished uploads themselves. */
export async function cancelSession(
  remote: Remote,
  { location }: Pick<UploadSession, 'location'>,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) return;
  const request = { method: 'DELETE', url: location, access: 'push', headers: {}, signal } as const;
  await remote.send(request).then(
    (response) => response.discard(),
    () => {},
  );
}

/** Returns the URL for the next request. Behind a proxy that ends TLS, some registries give their address without TLS. */
export function locationOf(response: HttpResponse, fallback: URL): URL {
  const location = parseLocation(response.headers.location ?? fallback.href, response.url);
  if (location.host === response.url.host) location.protocol = response.url.protocol;
  return location;
}
