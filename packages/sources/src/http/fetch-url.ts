import { unescape } from 'node:querystring';
import type { LocalStore } from '@tbuild/content';
import { UnpackGuard, type UnpackLimits } from '@tbuild/diff';
import { TbuildError, withoutCredentials } from '@tbuild/errors';
import { isDigest, type Digest } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { WebAnswer, WebClient } from '@tbuild/registry';
import { readNote, type StoreLayout, touch, writeNote } from '@tbuild/store';

/** A file downloaded from a web server, with its bytes in the content store. */
export interface FetchedFile {
  readonly digest: Digest;
  /** `Last-Modified` of the response, in milliseconds since the epoch. */
  readonly modified?: number;
}

export interface FetchOptions {
  /** Expected digest. A stored file that matches is not requested again. */
  readonly checksum?: Digest;
  /** Returns the value of a `--secret` by ID. HTTP_AUTH_HEADER_<host> and HTTP_AUTH_TOKEN_<host> authenticate. */
  readSecret(id: string): Buffer | undefined;
  readonly report: ReportTransfer;
  readonly signal: AbortSignal;
}

/** HTTP access, and where downloads are stored. */
export interface Web {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  openWeb(): Promise<WebClient>;
  /** What a download may take. */
  readonly unpackLimits?: UnpackLimits;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Downloads a URL. Revalidates an earlier download with `If-None-Match` and reuses it if it is unchanged.
 * @throws TbuildError NOT_FOUND, UNAUTHORIZED, REGISTRY, DIGEST_MISMATCH.
 */
export async function fetchUrl(text: string, web: Web, options: FetchOptions): Promise<FetchedFile> {
  const { url, login } = readUrl(text);
  const memo = web.store.httpMemo(url.href);
  // Touch before reading, so that no prune removes it from here on.
  const known = touch(memo, web.now()) ? recall(memo, web) : undefined;
  if (known !== undefined && known.digest === options.checksum) return known;
  const client = await web.openWeb();
  const ask = async (headers: Readonly<Record<string, string>>): Promise<WebAnswer> => {
    const answer = await client.get(url, { ...authorization(url, login, options), ...headers }, options.signal);
    const { status } = answer;
    if ((status >= 200 && status < 300) || (status === 304 && known !== undefined)) return answer;
    throw await refused(answer, url);
  };
  const answer = await ask(conditions(known));
  if (answer.status === 304 && known !== undefined) {
    await answer.discard();
    return checked(known, url, options);
  }
  const { wholeBody } = await import('./whole-body.ts');
  const body = wholeBody(answer, { web: client, ask, shown: shown(url), signal: options.signal });
  const fetched = await store({ ...answer, body }, url, { ...web, ...options });
  writeNote(memo, { ...fetched, source: shown(url) });
  return checked(fetched, url, options);
}

/** Returns the last element of the URL's path, decoded. */
export function fileNameOf(text: string): string {
  const { url } = readUrl(text);
  const last = url.pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last).replaceAll('/', '_') || UNNAMED;
  } catch {
    return last;
  }
}

const UNNAMED = 'download';

/** Parses a URL. Credentials are sent but never shown or stored; a fragment is not sent. */
function readUrl(text: string): { url: URL; login?: string } {
  if (!URL.canParse(text))
    throw new TbuildError('USAGE', `URL ${JSON.stringify(withoutCredentials(text))} is not valid`);
  const url = new URL(text);
  const { username, password } = url;
  Object.assign(url, { username: '', password: '', hash: '' });
  if (username === '' && password === '') return { url };
  const pair = `${unescape(username)}:${unescape(password)}`;
  return { url, login: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function authorization(
  { host, hostname }: URL,
  login: string | undefined,
  { readSecret }: FetchOptions,
): { authorization?: string } {
  for (const name of new Set([host, hostname])) {
    const header = readSecret(`HTTP_AUTH_HEADER_${name}`)?.toString().trim();
    if (header !== undefined) return { authorization: header };
    const token = readSecret(`HTTP_AUTH_TOKEN_${name}`)?.toString().trim();
    if (token !== undefined) return { authorization: `Bearer ${token}` };
  }
  return login === undefined ? {} : { authorization: login };
}

function conditions(known: Memo | undefined): Record<string, string> {
  return known?.etag === undefined ? {} : { 'if-none-match': known.etag };
}

async function store(
  answer: WebAnswer,
  url: URL,
  { content, unpackLimits, report, signal }: Pick<Web, 'content' | 'unpackLimits'> & FetchOptions,
): Promise<Memo> {
  const { etag, 'last-modified': modified = '', 'content-length': length } = answer.headers;
  const total = length === undefined ? undefined : Number(length);
  const item = `fetching ${url.host}${url.pathname}`;
  const guard = new UnpackGuard(unpackLimits, `file ${JSON.stringify(shown(url))}`);
  const { digest } = await content.write(
    counted(answer.body, (current, added) => {
      guard.addBytes(added);
      report(item, current, total);
    }),
    undefined,
    signal,
  );
  const time = Date.parse(modified);
  return { digest, etag, ...(Number.isNaN(time) ? {} : { modified: time }) };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (count: number, added: number) => void,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of source) {
    count += chunk.length;
    onBytes(count, chunk.length);
    yield chunk;
  }
}

function checked(fetched: FetchedFile, url: URL, { checksum }: FetchOptions): FetchedFile {
  if (checksum === undefined || checksum === fetched.digest) return fetched;
  throw new TbuildError(
    'DIGEST_MISMATCH',
    `Digest mismatch ${fetched.digest}: ${checksum} is expected of ${JSON.stringify(shown(url))}`,
  );
}

async function refused(answer: WebAnswer, url: URL): Promise<TbuildError> {
  const { status } = answer;
  await answer.discard();
  const denied = status === 401 || status === 403;
  const code = denied ? 'UNAUTHORIZED' : status === 404 || status === 410 ? 'NOT_FOUND' : 'REGISTRY';
  return new TbuildError(code, `Invalid response status ${status} for ${JSON.stringify(shown(url))}`, {
    hint: denied ? `Pass a token with --secret id=HTTP_AUTH_TOKEN_${url.hostname},src=FILE` : undefined,
  });
}

/** Returns the URL without its query, which may contain a signature. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

interface Memo extends FetchedFile {
  readonly etag?: string;
}

/** Returns an earlier download if its bytes are still stored. */
function recall(file: string, { content }: Web): Memo | undefined {
  const { digest, etag, modified } = readNote(file) ?? {};
  if (typeof digest !== 'string' || !isDigest(digest) || !content.use(digest)) return undefined;
  return {
    digest,
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof modified === 'number' ? { modified } : {}),
  };
}
