import { createHash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { fromBytes, readWhole } from '@tbuild/content';
import { testTarget } from '@tbuild/content/testsuite';
import { digestOf, MediaType, type Descriptor } from '@tbuild/oci';
import { createWebClient, type Clock } from '@tbuild/registry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../../test/support/fault-proxy.ts';
import {
  azurite,
  type AzureServer,
  startAzurite,
  startS3,
  s3Server,
  type S3Server,
} from '../../../test/support/object-servers.ts';
import { needs } from '../../../test/support/requirements.ts';
import type { Bucket } from './bucket.ts';
import { openAzureBucket, openS3Bucket } from './index.ts';
import { createObjectBlobs, type ObjectBlobs } from './object-blobs.ts';

const clock: Clock = {
  now: () => Date.now(),
  // Waits are as short as the tests want them.
  sleep: (_, signal) => setTimeout(1, undefined, { signal }),
};
const web = createWebClient({ userAgent: 'test', clock });
afterAll(() => web[Symbol.asyncDispose]());

const MiB = 1024 * 1024;
const places = {
  blobsPrefix: 'blobs/',
  manifestsPrefix: 'manifests/',
  clock,
  sizes: { whole: 7 * MiB, piece: 5 * MiB },
};
let count = 0;
const emptyIn = (bucket: Bucket): ObjectBlobs =>
  createObjectBlobs(bucket, { ...places, prefix: `a b+(${(count += 1)})/` });

/** What both kinds of buckets have to do. `open` opens one through a host, which may be a proxy. */
function testBucket(open: (host?: string) => Bucket, host: () => string): void {
  testTarget('blobs', async () => emptyIn(open()));

  test('a blob in pieces comes back whole', async () => {
    const blobs = emptyIn(open());
    const { bytes, blob } = blobOf(14 * MiB + 3);
    await blobs.write(fromBytes(bytes), blob);
    expect(await blobs.has(blob)).toBe(true);
    expect(digestOf(await readWhole(blobs, blob))).toBe(blob.digest);
  });

  test('a document is found by its last content', async () => {
    const blobs = emptyIn(open());
    const asked = blobs.resolve('main');
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (const size of [1, 2]) {
      const text = JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.manifest,
        config: { mediaType: 'application/x', digest: digestOf('x'), size },
        layers: [],
      });
      const bytes = Buffer.from(text);
      const descriptor = { mediaType: MediaType.manifest, digest: digestOf(bytes), size: bytes.length };
      await blobs.putDocument('main', { bytes, descriptor });
      const found = await blobs.resolve('main');
      expect(found).toEqual(descriptor);
      expect(Buffer.from(await readWhole(blobs, found)).toString()).toBe(text);
    }
  });

  test('an object is read from a byte on', async () => {
    const [bucket, bytes] = [open(), randomBytes(1000)];
    await bucket.put('part', { bytes, size: bytes.length });
    const chunks: Uint8Array[] = [];
    for await (const chunk of await bucket.get('part', 400)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes.subarray(400))).toBe(true);
  });

  describe('behind a bad network', () => {
    let proxy: FaultProxy;
    beforeEach(async () => {
      proxy = await startFaultProxy(host());
    });
    afterEach(() => proxy[Symbol.asyncDispose]());

    const upload = (line: string): boolean => line.startsWith('PUT ') && line.includes('sha256');

    test.each([1000, 3 * MiB])(
      'a blob of %i bytes is sent again after 503, a broken connection and a lost answer',
      async (size) => {
        proxy.decide = (line, before) => {
          if (!upload(line)) return undefined;
          if (before === 0) return { kind: 'answer', status: 503 };
          if (before === 1) return { kind: 'cut-request', after: 100_000 };
          return before === 2 ? { kind: 'lose-answer' } : undefined;
        };
        const { bytes, blob } = blobOf(size);
        const blobs = emptyIn(open(proxy.host));
        await blobs.write(repeatable(bytes), blob);
        expect(digestOf(await readWhole(blobs, blob))).toBe(blob.digest);
      },
    );

    test('of a blob in pieces, only the piece that failed is sent again', async () => {
      const { bytes, blob } = blobOf(14 * MiB);
      proxy.decide = (line, before) => (upload(line) && before < 3 ? { kind: 'answer', status: 503 } : undefined);
      const blobs = emptyIn(open(proxy.host));
      await blobs.write(repeatable(bytes), blob);
      expect(digestOf(await readWhole(blobs, blob))).toBe(blob.digest);
      const pieces = proxy.seen.filter(({ headers }) => Number(headers['content-length']) > MiB);
      expect(pieces.map(({ line }) => line)).toHaveLength(3 * 4);
    });

    test('a download resumes at the broken byte', async () => {
      const blobs = emptyIn(open(proxy.host));
      const { bytes, blob } = blobOf(3 * MiB);
      await blobs.write(repeatable(bytes), blob);
      proxy.decide = (line, before) =>
        line.startsWith('GET') && before < 2 ? { kind: 'cut-answer', after: MiB } : undefined;
      expect(digestOf(await readWhole(blobs, blob))).toBe(blob.digest);
      const ranges = proxy.seen.filter(({ line }) => line.startsWith('GET')).map(({ headers }) => headers.range);
      expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/), expect.stringMatching(/^bytes=\d+-$/)]);
    });

    test('a download resumes where the server sends everything again', async () => {
      const blobs = emptyIn(open(proxy.host));
      const { bytes, blob } = blobOf(50_000);
      const text = Buffer.from(bytes.toString('hex'));
      const target = { ...blob, digest: digestOf(text), size: text.length };
      await blobs.write(repeatable(text), target);
      proxy.decide = (line, before) => {
        if (!line.startsWith('GET')) return undefined;
        return before === 0 ? { kind: 'cut-answer', after: 30_000 } : { kind: 'answer', status: 200, body: `${text}` };
      };
      expect(digestOf(await readWhole(blobs, target))).toBe(target.digest);
      expect(proxy.seen.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    });

    test('bytes that changed on the way are refused', async () => {
      const blobs = emptyIn(open(proxy.host));
      const { bytes, blob } = blobOf(100_000);
      await blobs.write(repeatable(bytes), blob);
      proxy.decide = (line) => (line.startsWith('GET') ? { kind: 'corrupt', at: 77 } : undefined);
      await expect(readWhole(blobs, blob)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    });

    test('an abort ends an upload that hangs', async () => {
      const blobs = emptyIn(open(proxy.host));
      const { bytes, blob } = blobOf(3 * MiB);
      const stop = new AbortController();
      const reason = new Error('stop');
      proxy.decide = (line) => {
        if (!upload(line)) return undefined;
        stop.abort(reason);
        return { kind: 'hang' };
      };
      await expect(blobs.write(repeatable(bytes), blob, stop.signal)).rejects.toBe(reason);
    });
  });
}

function blobOf(size: number): { readonly bytes: Buffer; readonly blob: Descriptor } {
  const bytes = randomBytes(size);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
  return { bytes, blob: { mediaType: MediaType.layer, digest, size } };
}

function repeatable(bytes: Buffer): AsyncIterable<Uint8Array> & { readonly repeatable: true } {
  return {
    repeatable: true,
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    },
  };
}

async function failureOf(work: Promise<unknown>): Promise<{ readonly message: string; readonly code?: string }> {
  return work.then(
    () => expect.unreachable(),
    (error) => error,
  );
}

describe('a bucket of S3', needs(s3Server), () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const spec = (host = server.host) => ({
    kind: 's3' as const,
    bucket: server.bucket,
    region: server.region,
    endpoint: `http://${host}`,
    usesPath: true,
  });
  const open = (host?: string): Bucket =>
    openS3Bucket(spec(host), { web, credentials: async () => server.credentials });
  testBucket(open, () => server.host);

  test('refuses a wrong key, and no message has a key', async () => {
    const wrong = { ...server.credentials, secretAccessKey: 'wrong-secret-of-the-user' };
    const bucket = openS3Bucket(spec(), { web, credentials: async () => wrong });
    const error = await failureOf(bucket.get('x', 0));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('SignatureDoesNotMatch') });
    expect(JSON.stringify([error.message, error])).not.toContain(wrong.secretAccessKey);
    expect(JSON.stringify([error.message, error])).not.toContain(wrong.accessKeyId);
  });

  test('a missing bucket is named', async () => {
    const bucket = openS3Bucket({ ...spec(), bucket: 'nothing' }, { web, credentials: async () => server.credentials });
    const error = await failureOf(
      emptyIn(bucket).write(fromBytes(Buffer.from('x')), { ...blobOf(0).blob, digest: digestOf('x'), size: 1 }),
    );
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('NoSuchBucket') });
  });

  test('an old blob that is found is copied onto itself, which makes it young', async () => {
    await using proxy = await startFaultProxy(server.host);
    const { bytes, blob } = blobOf(10);
    const aged = (touchAfter: number) => createObjectBlobs(open(proxy.host), { ...places, prefix: 'old/', touchAfter });
    await aged(0).write(fromBytes(bytes), blob);
    const copies = () => proxy.seen.flatMap(({ headers }) => headers['x-amz-copy-source'] ?? []);
    expect(await aged(3600_000).has(blob)).toBe(true);
    expect(copies()).toEqual([]);
    expect(await aged(0).has(blob)).toBe(true);
    expect(copies()).toEqual([`cache/old/blobs/${encodeURIComponent(blob.digest)}`]);
    expect(Buffer.from(await readWhole(aged(0), blob)).equals(bytes)).toBe(true);
  });

  test.each([
    [{ bucket: 'b', region: 'eu-central-1', usesPath: false }, 'https://b.s3.eu-central-1.amazonaws.com/k'],
    [{ bucket: 'b', region: 'eu-central-1', usesPath: true }, 'https://s3.eu-central-1.amazonaws.com/b/k'],
    [{ bucket: 'a.b', region: 'cn-north-1', usesPath: false }, 'https://s3.cn-north-1.amazonaws.com.cn/a.b/k'],
    [{ bucket: 'b', region: 'r', endpoint: 'https://s3.example.org', usesPath: false }, 'https://b.s3.example.org/k'],
    [{ bucket: 'b', region: 'r', endpoint: 'http://[::1]:9000/s3', usesPath: false }, 'http://[::1]:9000/s3/b/k'],
  ])('%j is at %s', async (place, url) => {
    const asked: string[] = [];
    const recording = {
      clock,
      send: async (request: { url: URL }) => (asked.push(request.url.href), Promise.reject(new Error('enough'))),
    };
    const bucket = openS3Bucket(
      { kind: 's3', ...place },
      { web: recording, credentials: async () => server.credentials },
    );
    await expect(bucket.head('k')).rejects.toThrow('enough');
    expect(asked).toEqual([url]);
  });
});

describe('a container of Azure', needs(azurite), () => {
  let server: AzureServer;
  beforeAll(async () => {
    server = await startAzurite();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const spec = (host = server.host) => ({
    kind: 'azblob' as const,
    accountUrl: `http://${host}/${server.account}`,
    account: server.account,
    container: 'cache',
  });
  const open = (host?: string): Bucket =>
    openAzureBucket(spec(host), { web, credential: async () => ({ kind: 'key', key: server.key }) });
  testBucket(open, () => server.host);

  test('refuses a wrong key, and no message has a key', async () => {
    const key = Buffer.from('another key').toString('base64');
    const bucket = openAzureBucket(spec(), { web, credential: async () => ({ kind: 'key', key }) });
    const error = await failureOf(bucket.get('x', 0));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('was denied (403 Auth') });
    expect(JSON.stringify([error.message, error])).not.toContain(key);
  });
});
