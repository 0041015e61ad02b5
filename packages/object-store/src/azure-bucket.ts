import { createHmac } from 'node:crypto';
import { hasCode } from '@tbuild/errors';
import { bytesFrom, rangeFrom, type WebAnswer, type WebClient } from '@tbuild/registry';
import type { AzureCredential, AzureSpec } from './bucket-spec.ts';
import type { Bucket, ObjectBody, PieceUpload } from './bucket.ts';
import { createObjectClient, encodeKey, type ObjectClient, type ObjectRequest } from './object-client.ts';

export interface AzurePorts {
  readonly web: Pick<WebClient, 'send' | 'clock'>;
  /** Returns a valid credential. Called for each request, so that tokens may be renewed. */
  credential(): Promise<AzureCredential>;
}

/** The first version that takes blobs of 5000 MiB with one request is 2019-12-12; this one is in all clouds. */
const VERSION = '2021-08-06';

/** Opens a container of Azure Blob Storage, without a request. It is created with the first blob. */
export function openAzureBucket(spec: AzureSpec, { web, credential }: AzurePorts): Bucket {
  const { accountUrl, account, container } = spec;
  const base = `${accountUrl.replace(/\/+$/, '')}/${container}`;
  const client = createObjectClient({
    web,
    name: base,
    sign: async (request) => signed(request, { account, now: web.clock.now(), credential: await credential() }),
    hint: hintFor,
  });
  const urlOf = (key: string, query = ''): URL => new URL(`${base}/${encodeKey(key)}${query}`);
  const created = creating(client, new URL(`${base}?restype=container`));
  return {
    name: base,
    async head(key, signal) {
      const answer = await client.send({ method: 'HEAD', url: urlOf(key), subject: key, accept: [404], signal });
      await answer.discard();
      if (answer.status === 404) return undefined;
      const { headers } = answer;
      const changedAt = Date.parse(headers['last-modified'] ?? '') || 0;
      return { size: Number(headers['content-length'] ?? 0), changedAt };
    },
    async get(key, offset, signal) {
      const headers = rangeFrom(offset);
      return bytesFrom(await client.send({ method: 'GET', url: urlOf(key), headers, subject: key, signal }), offset);
    },
    async put(key, body, signal) {
      const headers = { 'x-ms-blob-type': 'BlockBlob' };
      await created(signal);
      const answer = await client.send({
        ...puts(body, headers),
        method: 'PUT',
        url: urlOf(key),
        subject: key,
        signal,
      });
      await answer.discard();
    },
    async putInPieces(key, signal) {
      await created(signal);
      return blocksOf(client, { key, urlOf });
    },
  };
}

/** Returns a function that creates the container once, if it does not exist. */
function creating(client: ObjectClient, url: URL): (signal?: AbortSignal) => Promise<void> {
  let made: Promise<void> | undefined;
  const create = async (signal?: AbortSignal): Promise<void> => {
    const asked = { url, subject: '', signal } as const;
    try {
      const there = await client.send({ ...asked, method: 'HEAD', accept: [404] });
      await there.discard();
      if (there.status !== 404) return;
      const headers = { 'content-length': '0' };
      await (await client.send({ ...asked, method: 'PUT', headers, accept: [409] })).discard();
    } catch (error) {
      // A credential may allow blobs without allowing containers. Then the container is there, or writing a blob fails.
      if (!hasCode(error, 'UNAUTHORIZED')) throw error;
    }
  };
  return async (signal) => {
    made ??= create(signal);
    try {
      await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}

function puts({ bytes, size }: ObjectBody, headers: Readonly<Record<string, string>> = {}) {
  return { body: bytes, headers: { ...headers, 'content-length': String(size) } };
}

interface ObjectPlace {
  readonly key: string;
  urlOf(key: string, query?: string): URL;
}

/** Blocks that no list names are dropped after a week. */
function blocksOf(client: ObjectClient, { key, urlOf }: ObjectPlace): PieceUpload {
  const ids: string[] = [];
  const put = async (body: ObjectBody, query: string, signal?: AbortSignal): Promise<void> => {
    const asked = { ...puts(body), method: 'PUT', url: urlOf(key, query), subject: key, signal } as const;
    await (await client.send(asked)).discard();
  };
  return {
    async put(number, body, signal) {
      const id = Buffer.from(String(number).padStart(8, '0')).toString('base64');
      await put(body, `?comp=block&blockid=${encodeURIComponent(id)}`, signal);
      ids[number - 1] = id;
    },
    async complete(signal) {
      const list = ids.map((id) => `<Latest>${id}</Latest>`).join('');
      const bytes = Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
      await put({ bytes, size: bytes.length }, '?comp=blocklist', signal);
    },
    async abort() {},
  };
}

interface Signing {
  readonly account: string;
  readonly now: number;
  readonly credential: AzureCredential;
}

/** Returns the headers of a request, authorized by a token or by the account's key ("Authorize with Shared Key"). */
function signed(
  { method, url, headers = {} }: ObjectRequest,
  { account, now, credential }: Signing,
): Readonly<Record<string, string>> {
  const all: Record<string, string> = { ...headers, 'x-ms-date': new Date(now).toUTCString(), 'x-ms-version': VERSION };
  if (credential.kind === 'token') return { ...all, authorization: `Bearer ${credential.token}` };
  const standard = STANDARD.map((name) => (name === 'content-length' && all[name] === '0' ? '' : (all[name] ?? '')));
  const own = Object.entries(all).filter(([name]) => name.startsWith('x-ms-'));
  const query = [...url.searchParams].map(([name, value]) => `\n${name.toLowerCase()}:${value}`);
  const text = [
    method,
    ...standard,
    ...own.map(([name, value]) => `${name}:${value}`).toSorted(),
    `/${account}${url.pathname}${query.toSorted().join('')}`,
  ].join('\n');
  const signature = createHmac('sha256', Buffer.from(credential.key, 'base64')).update(text).digest('base64');
  return { ...all, authorization: `SharedKey ${account}:${signature}` };
}

/** The headers of the text to sign, in its order. */
const STANDARD = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];

function hintFor(status: number, _answer: Pick<WebAnswer, 'headers'>): string | undefined {
  if (status === 401 || status === 403)
    return 'Check secret_access_key, or the credentials of Azure in the environment';
  if (status === 404) return 'Check account_url= and container=';
  return undefined;
}
