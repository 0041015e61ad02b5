import type { Digest } from '@tbuild/oci';
import type { HttpResponse } from './http-message.ts';
import { parseLocation } from './parse-location.ts';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';

/** An upload under way at the registry ("Pushing Blobs"). */
export interface UploadSession {
  readonly location: URL;
  /** How many bytes the registry has. */
  readonly offset: number;
  /** The registry takes no smaller pieces, the last one excepted. */
  readonly leastChunk: number;
}

/** What a request is for, and what ends it. */
interface About {
  readonly subject: string;
  readonly signal?: AbortSignal;
}

export interface Piece {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** In bytes; unknown for a stream that only its end tells. */
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

/** What has become of a session after a failure, or undefined when the registry does not know it any more. */
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
    const last = /(\d+)-(\d+)$/.exec(response.headers.range ?? '')?.[2];
    if (last === undefined) return undefined;
    // Registries say `0-0` of one byte and of none; one byte more or less is sent again.
    const offset = last === '0' ? 0 : Number(last) + 1;
    return { ...session, location: locationOf(response, session.location), offset };
  } catch (error) {
    if (error instanceof RegistryError && SESSION_LOST.includes(error.status ?? 0)) return undefined;
    throw error;
  }
}

/** Sends the next bytes, and returns where the upload is then. */
export async function sendPiece(
  remote: Remote,
  session: UploadSession,
  { body, length }: Piece,
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

/** Ends an upload, with all bytes or after them. */
export async function closeSession(
  remote: Remote,
  { location }: UploadSession,
  { digest, last }: { readonly digest: Digest; readonly last?: Required<Piece> },
  signal?: AbortSignal,
): Promise<void> {
  const target = new URL(location);
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

/** Only a kindness: registries drop unfinished uploads by themselves. */
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

/** Where the registry wants the next request. Behind a proxy that ends TLS some registries name themselves without it. */
export function locationOf(response: HttpResponse, fallback: URL): URL {
  const location = parseLocation(response.headers.location ?? fallback.href, response.url);
  if (location.host === response.url.host) location.protocol = response.url.protocol;
  return location;
}
