import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { copyImage, createMemoryStore, type ContentStore } from '@tbuild/content';
import { parseReference, type Descriptor } from '@tbuild/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { startTokenRegistry, tokenUser } from '../../../test/support/token-registry.ts';
import { createFastClock, createTestClient, makeImage, realClock } from '../test/client.ts';
import type { Credential, RegistryClientOptions, Repository } from './index.ts';

const SIZE = 3_000_000;
let registry: Registry;
let proxy: FaultProxy;
let count = 0;
let image: { store: ContentStore; index: Descriptor; layers: Descriptor[] };

describe('with faults', needs('registry'), () => {
  beforeAll(async () => {
    registry = await startRegistry();
    image = await makeImage(SIZE);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await startFaultProxy(registry.host);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  test('a broken download resumes at the broken byte', async () => {
    const repository = await pushed();
    const clock = createFastClock();
    proxy.decide = (line, before) => (isLayer(line) && before < 3 ? { kind: 'cut-answer', after: 700_000 } : undefined);
    const store = await pull(repository.name, { clock });
    expect(await store.has({ digest: image.index.digest })).toBe(true);
    const ranges = proxy.seen.filter(({ line }) => isLayer(line)).map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(8);
    const resumed = ranges.filter((range) => range !== undefined);
    expect(resumed).toHaveLength(6);
    for (const range of resumed) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(clock.slept).toHaveLength(6);
  });

  test('a registry that answered before may refuse connections while it restarts', async () => {
    const { name } = await pushed();
    const port = Number(new URL(`http://${proxy.host}`).port);
    const restart = async (): Promise<void> => void (proxy = await startFaultProxy(registry.host, port));
    const repository = open({ clock: { ...realClock, sleep: restart } }, name);
    const target = await repository.resolve('latest');
    await proxy[Symbol.asyncDispose]();
    expect(await repository.resolve('latest')).toEqual(target);
  });

  test('a loopback registry without TLS is probed again when its first answer breaks off', async () => {
    const { name } = await pushed();
    proxy.decide = (line, before) => (line === 'GET /v2/' && before === 0 ? { kind: 'reset' } : undefined);
    const clock = createFastClock();
    await open({ clock }, name).resolve('latest');
    expect(clock.slept).toEqual([250]);
  });

  test('a download without progress fails after several attempts', async () => {
    const repository = await pushed();
    proxy.decide = (line) => (isLayer(line) ? { kind: 'cut-answer', after: 0 } : undefined);
    await expect(pull(repository.name, { clock: createFastClock() })).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(/^Registry 127\.0\.0\.1:\d+ broke the connection/),
    });
  });

  test.each([
    ['layer', isLayer],
    ['manifest', (line: string) => /^GET .*\/manifests\/sha256:/.test(line)],
  ])('wrong bytes of a %s are refused and nothing of them is kept', async (_, matches) => {
    const repository = await pushed();
    proxy.decide = (line) => (matches(line) ? { kind: 'corrupt', at: 100 } : undefined);
    const store = createMemoryStore();
    const error = await pull(repository.name, {}, store).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: expect.stringMatching(/DIGEST_MISMATCH|REGISTRY/) });
    for (const { digest } of [image.index, ...image.layers]) expect(await store.has({ digest })).toBe(false);
  });

  test('a broken upload starts over', async () => {
    const repository = open();
    proxy.decide = (line, before) =>
      line.startsWith('PUT') && line.includes('digest=') ? firstOf(image.layers, line, before) : undefined;
    await copyImage(image.index, { from: image.store, to: repository });
    expect(await repository.has({ digest: image.index.digest, mediaType: image.index.mediaType })).toBe(true);
    proxy.decide = () => undefined;
    await pull(repository.name);
  });

  test.each([
    [429, () => ({ 'retry-after': '3' }), [3000]],
    [503, () => ({}), [250]],
    [500, () => ({ 'retry-after': new Date(Date.now() + 40_000).toUTCString() }), [expect.closeTo(40_000, -4)]],
  ])('after %i it waits and asks again', async (status, headersNow, slept) => {
    const repository = await pushed();
    const clock = createFastClock();
    const headers: Record<string, string> = headersNow();
    proxy.decide = (line, before) =>
      line.includes('/manifests/latest') && before === 0 ? { kind: 'answer', status, headers } : undefined;
    await open({ clock }, repository.name).resolve('latest');
    expect(clock.slept).toEqual(slept);
  });

  test('status 429 in every attempt is reported', async () => {
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}';
    proxy.decide = (line) => (line.includes('/manifests/') ? { kind: 'answer', status: 429, body } : undefined);
    await expect(open({ clock: createFastClock() }).resolve('latest')).rejects.toMatchObject({
      code: 'REGISTRY',
      status: 429,
      message: `Registry ${proxy.host} limits the rate of requests (429 TOOMANYREQUESTS): slow down`,
    });
  });

  test('an abort ends a wait and a transfer', async () => {
    const repository = await pushed();
    const controller = new AbortController();
    const reason = new Error('enough');
    const store = createMemoryStore();
    const onProgress = (target: Descriptor, bytes: number): void => {
      if (bytes > 0 && bytes < target.size) controller.abort(reason);
    };
    const from = open({}, repository.name);
    const copied = copyImage(image.index, { from, to: store }, { signal: controller.signal, onProgress });
    await expect(copied).rejects.toBe(reason);
    expect(await store.has({ digest: image.index.digest })).toBe(false);
  });

  test.each<[string, (repository: Repository, signal: AbortSignal) => Promise<unknown>]>([
    ['resolve', (repository, signal) => repository.resolve('latest', signal)],
    [
      'has',
      (repository, signal) => repository.has({ digest: image.index.digest, mediaType: image.index.mediaType }, signal),
    ],
  ])('an abort ends %s while it waits as the registry asked', async (_, ask) => {
    proxy.decide = (line) =>
      line === 'GET /v2/' ? undefined : { kind: 'answer', status: 429, headers: { 'retry-after': '60' } };
    const controller = new AbortController();
    const reason = new Error('enough');
    const clock = { ...realClock, sleep: sleepThatAborts(controller, reason) };
    await expect(ask(open({ clock }), controller.signal)).rejects.toBe(reason);
  });

  test('an abort ends the probing of a silent registry', async () => {
    proxy.decide = () => ({ kind: 'hang' });
    const controller = new AbortController();
    const resolving = open().resolve('latest', controller.signal);
    await eventually(() => proxy.seen.length > 0);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(resolving).rejects.toBe(reason);
  });

  test('disposing of a client ends all its waits', async () => {
    proxy.decide = () => ({ kind: 'hang' });
    const client = createTestClient();
    const resolving = client.openRepository(parseReference(`${proxy.host}/test/left`)).resolve('latest');
    const failed = expect(resolving).rejects.toThrow();
    await eventually(() => proxy.seen.length > 0);
    await client[Symbol.asyncDispose]();
    await failed;
  });

  test('a Retry-After beyond the last attempt is reported at once', async () => {
    proxy.decide = (line) =>
      line.includes('/manifests/') ? { kind: 'answer', status: 429, headers: { 'retry-after': '3600' } } : undefined;
    const clock = createFastClock();
    await expect(open({ clock }).resolve('latest')).rejects.toMatchObject({
      status: 429,
      hint: expect.stringContaining('Wait 60 minutes'),
    });
    expect(clock.slept).toEqual([]);
  });

  test('a redirect is followed without credentials', async () => {
    const seen: (string | undefined)[] = [];
    const bytes = Buffer.from('from the storage');
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(bytes);
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/blob?signature=x`;
    proxy.decide = (line) => {
      if (line === 'GET /v2/') return undefined;
      const { authorization } = proxy.seen.at(-1)?.headers ?? {};
      const isAsking = authorization === undefined && proxy.seen.length < 2;
      const challenge = { 'www-authenticate': 'Basic realm="x"' };
      return isAsking
        ? { kind: 'answer', status: 401, headers: challenge }
        : { kind: 'answer', status: 307, headers: { location } };
    };
    const { digest, size } = await createMemoryStore().write(iterate(bytes));
    const credentials = async (): Promise<Credential> => ({ kind: 'password', username: 'a', password: 'b' });
    const store = createMemoryStore();
    const target = { mediaType: 'application/octet-stream', digest, size };
    await store.write(await open({ credentials }).read(target), target);
    await new Promise((resolve) => storage.close(resolve));
    expect(seen).toEqual([undefined]);
    expect(proxy.seen.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  test('a token that expires during a transfer is replaced', async () => {
    await using tokens = await startTokenRegistry();
    await using between = await startFaultProxy(tokens.host);
    const credentials = async (): Promise<Credential> => ({ kind: 'password', ...tokenUser });
    await using client = createTestClient({ credentials, clock: createFastClock() });
    const repository = client.openRepository(parseReference(`${between.host}/private/app`));
    // The registry's challenge, as it would send it again.
    const { headers } = await fetch(`http://${tokens.host}/v2/`);
    const refused: Fault = {
      kind: 'answer',
      status: 401,
      headers: { 'www-authenticate': headers.get('www-authenticate') ?? '' },
    };
    const once = new Set<string>();
    between.decide = (line) => {
      const kind = line.replace(/[?].*/, '').replace(/sha256:\w+|uploads\/.*/, '');
      const isFresh = between.seen.length > 6 && !once.has(kind);
      if (isFresh) once.add(kind);
      return isFresh ? refused : undefined;
    };
    await copyImage(image.index, { from: image.store, to: repository }, { concurrency: 1 });
    await copyImage(
      await repository.resolve(image.index.digest),
      { from: repository, to: createMemoryStore() },
      { concurrency: 1 },
    );
    for (const method of ['HEAD', 'GET', 'POST', 'PUT'])
      expect([...once].join()).toContain(
        `${method} /v2/private/app/blobs/`.replace('GET /v2/private/app/blobs/', 'GET '),
      );
  });
});

function open(options: Partial<RegistryClientOptions> = {}, name = `${proxy.host}/test/f${(count += 1)}`): Repository {
  return createTestClient(options).openRepository(parseReference(name));
}

/** Sleeps in real time after scheduling an abort. */
function sleepThatAborts(controller: AbortController, reason: Error): typeof realClock.sleep {
  return (milliseconds, signal) => {
    setImmediate(() => controller.abort(reason));
    return realClock.sleep(milliseconds, signal);
  };
}

async function pushed(): Promise<Repository> {
  const repository = open();
  await copyImage(image.index, { from: image.store, to: repository });
  await repository.tag(image.index, 'latest');
  proxy.seen.length = 0;
  return repository;
}

async function pull(
  name: string,
  options: Partial<RegistryClientOptions> = {},
  store = createMemoryStore(),
): Promise<ContentStore> {
  await copyImage(image.index, { from: open(options, name), to: store });
  return store;
}

function isLayer(line: string): boolean {
  return image.layers.some(({ digest }) => line.startsWith('GET') && line.endsWith(`/blobs/${digest}`));
}

// Each upload has its own line, so the number of uploads tells the first from the second.
function firstOf(layers: readonly Descriptor[], line: string, before: number): Fault | undefined {
  const layer = layers.find(({ digest }) => line.includes(encodeURIComponent(digest)));
  if (layer === undefined || before > 0) return undefined;
  const earlier = proxy.seen.filter(
    (other) => other.line.startsWith('PUT') && other.line.includes(encodeURIComponent(layer.digest)),
  );
  return earlier.length === 0 ? { kind: 'cut-request', after: 500_000 } : undefined;
}

async function* iterate(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
