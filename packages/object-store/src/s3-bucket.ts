import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { bytesFrom, rangeFrom, type WebAnswer, type WebClient } from '@tbuild/registry';
import type { S3Credentials, S3Spec } from './bucket-spec.ts';
import type { Bucket, ObjectBody, PieceUpload, StoredObject } from './bucket.ts';
import {
  createObjectClient,
  elementOf,
  encodeKey,
  readText,
  ObjectError,
  type ObjectClient,
  type ObjectRequest,
} from './object-client.ts';

export interface S3Ports {
  readonly web: Pick<WebClient, 'send' | 'clock'>;
  /** Returns valid credentials. Called for each request, so that temporary ones may be renewed. */
  credentials(): Promise<S3Credentials>;
}

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const CONTENT_HASH = 'x-amz-content-sha256';

/** Opens a bucket of S3, without a request. */
export function openS3Bucket(spec: S3Spec, { web, credentials }: S3Ports): Bucket {
  const name = `s3://${spec.bucket}`;
  const signer = new SignatureV4({
    service: 's3',
    region: spec.region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const client = createObjectClient({
    web,
    name,
    sign: async (request) => {
      const signingDate = new Date(web.clock.now());
      return (await signer.sign(signable(request), { signingDate })).headers;
    },
    hint: hintFor,
  });
  const base = baseOf(spec);
  const urlOf = (key: string, query = ''): URL => new URL(`${base}${encodeKey(key)}${query}`);
  return {
    name,
    async head(key, signal) {
      const answer = await client.send({ method: 'HEAD', url: urlOf(key), subject: key, accept: [404], signal });
      await answer.discard();
      return answer.status === 404 ? undefined : storedObject(answer);
    },
    async get(key, offset, signal) {
      const headers = rangeFrom(offset);
      return bytesFrom(await client.send({ method: 'GET', url: urlOf(key), headers, subject: key, signal }), offset);
    },
    async put(key, body, signal) {
      await (await client.send({ ...puts(body), method: 'PUT', url: urlOf(key), subject: key, signal })).discard();
    },
    putInPieces: (key, signal) => beginUpload(client, { key, urlOf }, signal),
    async touch(key, signal) {
      const source = encodeKey(`${spec.bucket}/${key}`);
      const headers = { 'x-amz-copy-source': source, 'x-amz-metadata-directive': 'REPLACE', 'content-length': '0' };
      await requireDone(await client.send({ method: 'PUT', url: urlOf(key), headers, subject: key, signal }), key);
    },
  };
}

/** S3 answers 200 before it knows the outcome. @throws ObjectError if the body tells a failure. */
async function requireDone(answer: WebAnswer, key: string): Promise<void> {
  const reason = elementOf(await readText(answer), 'Code');
  if (reason === undefined) return;
  throw new ObjectError('REGISTRY', `S3 did not complete ${key}: ${reason}`, { status: answer.status, reason });
}

/** Where the bucket is. An address without a name of its own cannot have the bucket's name before it. */
function baseOf({ bucket, region, endpoint, usesPath }: S3Spec): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(endpoint ?? `https://s3.${region}.${domain}`);
  const path = url.pathname.replace(/\/*$/, '/');
  const isAddress = /^[\d.]+$|^\[|^localhost$/.test(url.hostname);
  // A certificate for a wildcard does not cover further dots.
  if (usesPath || isAddress || bucket.includes('.')) return `${url.origin}${path}${bucket}/`;
  return `${url.protocol}//${bucket}.${url.host}${path}`;
}

function signable({ method, url, headers = {} }: ObjectRequest) {
  const query = Object.fromEntries(url.searchParams);
  return {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname,
    query,
    headers: { [CONTENT_HASH]: EMPTY_HASH, ...headers, host: url.host },
  };
}

const EMPTY_HASH = createHash('sha256').digest('hex');

/** The digest of a blob is the hash that the signature covers, so that S3 checks the bytes. */
function puts({ bytes, size, digest }: ObjectBody): Pick<ObjectRequest, 'body' | 'headers'> {
  const hash = digest === undefined ? UNSIGNED : digest.slice('sha256:'.length);
  return { body: bytes, headers: { 'content-length': String(size), [CONTENT_HASH]: hash } };
}

function storedObject({ headers }: WebAnswer): StoredObject {
  return { size: Number(headers['content-length'] ?? 0), changedAt: Date.parse(headers['last-modified'] ?? '') || 0 };
}

interface ObjectPlace {
  readonly key: string;
  urlOf(key: string, query?: string): URL;
}

async function beginUpload(
  client: ObjectClient,
  { key, urlOf }: ObjectPlace,
  signal?: AbortSignal,
): Promise<PieceUpload> {
  const common = { subject: key, headers: { 'content-length': '0' } };
  const begun = await readText(await client.send({ ...common, method: 'POST', url: urlOf(key, '?uploads='), signal }));
  const id = encodeURIComponent(elementOf(begun, 'UploadId') ?? '');
  const tags: string[] = [];
  return {
    async put(number, body, putSignal) {
      const url = urlOf(key, `?partNumber=${number}&uploadId=${id}`);
      const answer = await client.send({ ...puts(body), method: 'PUT', url, subject: key, signal: putSignal });
      await answer.discard();
      tags[number - 1] = answer.headers.etag ?? '';
    },
    async complete(endSignal) {
      const parts = tags.map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
      const bytes = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      const url = urlOf(key, `?uploadId=${id}`);
      const asked = { ...puts({ bytes, size: bytes.length }), method: 'POST', url, subject: key } as const;
      await requireDone(await client.send({ ...asked, signal: endSignal }), key);
    },
    async abort() {
      const url = urlOf(key, `?uploadId=${id}`);
      await client.send({ ...common, method: 'DELETE', url }).then(
        (answer) => answer.discard(),
        () => {},
      );
    },
  };
}

function hintFor(status: number, { headers }: Pick<WebAnswer, 'headers'>): string | undefined {
  const region = headers['x-amz-bucket-region'];
  if ((status === 301 || status === 400) && region !== undefined) return `Use region=${region}`;
  if (status === 401 || status === 403)
    return 'Check access_key_id and secret_access_key, or the credentials of AWS in the environment';
  if (status === 404) return 'Check bucket= and region=';
  return undefined;
}

/** The hash that the signer uses, by Node. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #secret?: string | ArrayBuffer | ArrayBufferView;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = this.#create();
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#create();
  }

  #create(): Hash | Hmac {
    const secret = this.#secret;
    if (secret === undefined) return createHash('sha256');
    if (typeof secret === 'string') return createHmac('sha256', secret);
    return createHmac(
      'sha256',
      ArrayBuffer.isView(secret)
        ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
        : Buffer.from(secret),
    );
  }
}
