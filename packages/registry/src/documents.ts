import { printable, TbuildError } from '@tbuild/errors';
import { digestOf, isDigest, MediaType, parseManifest, type Descriptor, type Digest } from '@tbuild/oci';
import { readBody, type HttpResponse } from './http-message.ts';
import { OTHER_SERVER, RegistryError } from './registry-error.ts';
import { ask, type Question, type Remote } from './remote.ts';
import type { ManifestBytes, PushedManifest } from './repository.ts';
import { ATTEMPTS, retryDelay } from './transport/retry.ts';

const LIMIT = 16 * 1024 * 1024;

// Accepts schema 1 too: a registry with nothing else then sends it, instead of "not found".
const ACCEPT = [
  MediaType.index,
  MediaType.dockerIndex,
  MediaType.manifest,
  MediaType.dockerManifest,
  MediaType.dockerSchema1Signed,
  MediaType.dockerSchema1,
  '*/*;q=0.1',
].join(', ');

/** Fetches a manifest or index by tag or digest and keeps its bytes. A document with a digest is verified. */
export async function fetchDocument(remote: Remote, tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor> {
  const name = `${remote.name}${isDigest(tagOrDigest) ? '@' : ':'}${tagOrDigest}`;
  const subject = `image ${name}`;
  const target = `manifests/${tagOrDigest}`;
  const question = { method: 'GET', target, headers: { accept: ACCEPT }, accept: [200], subject, signal } as const;
  const { response, bytes } = await askWhole(remote, question);
  if (bytes.length > LIMIT) throw new TbuildError('UNSUPPORTED', `Manifest of ${name} has more than ${LIMIT} bytes`);
  const { mediaType } = parseAnswer(bytes, mediaTypeOf(response));
  const digest = digestOf(bytes);
  const expected = isDigest(tagOrDigest) ? tagOrDigest : response.headers['docker-content-digest'];
  if (expected?.startsWith('sha256:') && expected !== digest) {
    throw new TbuildError(
      'DIGEST_MISMATCH',
      `Manifest of ${name} has the digest ${digest}, expected ${printable(expected)}`,
    );
  }
  remote.documents.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

/** Asks for the digest of a tag. Docker Hub does not count such a request as a pull. */
export async function fetchDigest(remote: Remote, tag: string, signal?: AbortSignal): Promise<string | undefined> {
  const response = await ask(remote, {
    method: 'HEAD',
    target: `manifests/${tag}`,
    headers: { accept: ACCEPT },
    accept: [200],
    subject: `image ${remote.name}:${tag}`,
    signal,
  });
  await response.discard();
  return response.headers['docker-content-digest'];
}

/** Returns the answer with its body. Repeats the request if the connection breaks. */
async function askWhole(remote: Remote, question: Question): Promise<{ response: HttpResponse; bytes: Uint8Array }> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await ask(remote, question);
    try {
      return { response, bytes: await readBody(response, LIMIT) };
    } catch (error) {
      if (!(error instanceof RegistryError && error.transient) || attempt === ATTEMPTS) throw error;
      await remote.clock.sleep(retryDelay(attempt), question.signal);
    }
  }
}

/**
 * Stores a manifest or index under a tag or its digest. An immutable tag that already points to it counts as
 * success.
 */
export async function putDocument(
  remote: Remote,
  { bytes, mediaType }: ManifestBytes,
  { tagOrDigest, signal }: { readonly tagOrDigest: string; readonly signal?: AbortSignal },
): Promise<PushedManifest> {
  const digest = digestOf(bytes);
  const name = `${remote.name}${isDigest(tagOrDigest) ? '@' : ':'}${tagOrDigest}`;
  let listedUnder: string | undefined;
  try {
    const response = await ask(remote, {
      method: 'PUT',
      target: `manifests/${tagOrDigest}`,
      access: 'push',
      headers: { 'content-type': mediaType },
      body: bytes,
      accept: [200, 201, 202],
      subject: `image ${name}`,
      signal,
    });
    await response.discard();
    listedUnder = response.headers['oci-subject'];
  } catch (error) {
    // It may have lost a blob since it was asked.
    remote.blobs.clear();
    if (isDigest(tagOrDigest) || !(error instanceof RegistryError && forbidsChange(error))) throw error;
    await requireTag(remote, tagOrDigest, { digest, refused: error, signal });
  }
  remote.documents.set(digest, bytes);
  return { mediaType, digest, size: bytes.length, ...(listedUnder === undefined ? {} : { listedUnder }) };
}

/** Registries use different codes for it: Harbor 412, others 400, 403 or 409 with a text. */
function forbidsChange({ status = 0, codes, said }: RegistryError): boolean {
  const text = [...codes, ...said].join(' ');
  return (
    status === 412 || status === 409 || (status < 500 && /immutable|overwrit|already exists|updating asset/i.test(text))
  );
}

interface KeptTag {
  readonly digest: Digest;
  readonly refused: RegistryError;
  readonly signal?: AbortSignal;
}

async function requireTag(remote: Remote, tag: string, { digest, refused, signal }: KeptTag): Promise<void> {
  const held = await fetchDocument(remote, tag, signal).catch((error: unknown) => {
    throw signal?.aborted ? error : refused;
  });
  if (held.digest === digest) return;
  const { status, codes, url } = refused;
  throw new RegistryError(
    'REGISTRY',
    `Tag ${remote.name}:${tag} is immutable and points to ${held.digest} (${[status, ...codes].join(' ')})`,
    { url: new URL(url), status, codes, cause: refused, hint: `Push ${digest} under another tag` },
  );
}

function mediaTypeOf(response: HttpResponse): string | undefined {
  const type = response.headers['content-type']?.split(';')[0]?.trim();
  return type?.startsWith('application/vnd.') ? type : undefined;
}

function parseAnswer(bytes: Uint8Array, mediaType: string | undefined): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    throw error instanceof TbuildError && error.hint === undefined
      ? Object.assign(error, { hint: OTHER_SERVER })
      : error;
  }
}
