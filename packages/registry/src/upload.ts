import { createHash } from 'node:crypto';
import { readAll, type StoredBlob, verified } from '@tbuild/content';
import type { Descriptor, Digest } from '@tbuild/oci';
import { createByteReader } from './byte-reader.ts';
import { hasBlob } from './has-blob.ts';
import { RegistryError } from './registry-error.ts';
import type { Remote } from './remote.ts';
import { PROGRESS } from './resumed.ts';
import { isTooFarOff, retryDelay } from './transport/retry.ts';
import {
  cancelSession,
  closeSession,
  findSession,
  openSession,
  sendPiece,
  type UploadSession,
} from './upload-session.ts';

const MiB = 1024 * 1024;

/**
 * The sizes of one request: the whole blob first, and less after each request that was too large or broke. Proxies limit
 * the size and duration of a request, and bytes of finished requests need not be sent again.
 */
const CHUNKS = [Number.POSITIVE_INFINITY, 32 * MiB, 8 * MiB, MiB] as const;
const SMALL = MiB;

/**
 * Uploads a blob: whole if its digest and size are known, otherwise as a stream of unknown length. After a failure, a
 * repeatable source continues at the registry's position in smaller pieces, or starts over if the registry
 * lost the upload.
 */
export async function upload(
  remote: Remote,
  { source, expected }: { readonly source: AsyncIterable<Uint8Array>; readonly expected?: Descriptor },
  signal?: AbortSignal,
): Promise<StoredBlob> {
  if (expected === undefined) return uploadUnknown(remote, source, signal);
  const small = expected.size <= SMALL ? await readAll(verified(source, expected)) : undefined;
  const work: Upload = { remote, source: small ?? source, target: expected, signal, chunk: 0, sending: false };
  let furthest = 0;
  for (let failures = 0; !(failures > 0 && (await hasBlob(remote, expected.digest, { signal })));) {
    try {
      await sendAll(work);
      break;
    } catch (error) {
      const reached = work.session?.offset ?? 0;
      const isProgress = reached - furthest >= PROGRESS;
      failures = isProgress ? 1 : failures + (isTooLarge(error) ? 0 : 1);
      if (isProgress) furthest = reached;
      if (
        !(error instanceof RegistryError) ||
        isTooFarOff(failures, error.retryAfter, remote.clock.now()) ||
        !mayPass(work, error, failures)
      ) {
        await abandon(work);
        throw error;
      }
      await recover(work, error, failures);
    }
  }
  return { digest: expected.digest, size: expected.size };
}

interface Upload {
  readonly remote: Remote;
  readonly source: Uint8Array | AsyncIterable<Uint8Array>;
  readonly target: Descriptor;
  readonly signal?: AbortSignal;
  session?: UploadSession;
  /** Index into {@link CHUNKS}. */
  chunk: number;
  /** Whether a stream is being sent. Other requests have already been repeated when they fail. */
  sending: boolean;
}

async function sendAll(work: Upload): Promise<void> {
  const { remote, source, target, signal } = work;
  const { digest, size } = target;
  const subject = `blob ${digest} of ${remote.name}`;
  work.sending = false;
  let session = (work.session ??= await openSession(remote, subject, signal));
  if (source instanceof Uint8Array)
    return closeSession(remote, { session, digest, last: { body: source, length: size } }, signal);
  await using reader = createByteReader(verified(source, target));
  await reader.skip(session.offset);
  work.sending = true;
  const most = Math.max(CHUNKS[work.chunk] ?? MiB, session.leastChunk);
  if (session.offset === 0 && size <= most)
    return await closeSession(remote, { session, digest, last: { body: reader.take(size), length: size } }, signal);
  while (session.offset < size) {
    const length = Math.min(most, size - session.offset);
    session = await sendPiece(remote, { session, body: reader.take(length), length }, { subject, signal });
    work.session = session;
  }
  work.sending = false;
  await closeSession(remote, { session, digest }, signal);
}

/** The answers for an upload that the registry no longer has, or has at another position. */
const LOST = [404, 410, 416];
/** The answers of registries that accept no pieces. */
const NO_PIECES = [400, 405, 501];

// The number of sizes bounds the loop.
function isTooLarge(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 413;
}

function mayPass({ source, session, sending, chunk }: Upload, error: RegistryError, failures: number): boolean {
  const { status = 0, transient } = error;
  if (session === undefined || !(source instanceof Uint8Array || 'repeatable' in source)) return false;
  if (LOST.includes(status) || (NO_PIECES.includes(status) && chunk > 0)) return true;
  if (!sending) return false;
  // A token may expire between the opening of an upload and its bytes. The next attempt gets a new one.
  if (status === 401) return failures === 1;
  return transient || (isTooLarge(error) && chunk < CHUNKS.length - 1);
}

async function recover(work: Upload, error: RegistryError, failures: number): Promise<void> {
  const { remote, target, signal } = work;
  const { status = 0 } = error;
  if (NO_PIECES.includes(status)) {
    await abandon(work);
    work.chunk = 0;
    return;
  }
  if (error.transient) {
    const delay = retryDelay(failures, error.retryAfter, remote.clock.now());
    await remote.clock.sleep(
      delay,
      signal,
      `${new URL(error.url).host} ${status === 0 ? 'broke the connection' : `answered ${status}`}`,
    );
  }
  if (isTooLarge(error) || error.transient) work.chunk = Math.min(work.chunk + 1, CHUNKS.length - 1);
  const { session } = work;
  const subject = `blob ${target.digest} of ${remote.name}`;
  const found = session && (await findSession(remote, session, { subject, signal }));
  // No upload has more bytes than its blob.
  work.session = found === undefined || found.offset > target.size ? undefined : found;
}

async function abandon(work: Upload): Promise<void> {
  if (work.session !== undefined) await cancelSession(work.remote, work.session, work.signal);
  work.session = undefined;
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
    const sent = await sendPiece(remote, { session, body: observed() }, { subject, signal });
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    await closeSession(remote, { session: sent, digest }, signal);
    return { digest, size };
  } catch (error) {
    await cancelSession(remote, session, signal);
    throw error;
  }
}
