import { readFileSync } from 'node:fs';
import { copyImage, createMemoryStore, fromBytes, type ContentStore } from '@tbuild/content';
import { digestOf, parseReference, type Descriptor } from '@tbuild/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createFastClock, createTestClient, makeImage } from '../test/client.ts';
import type { RegistryClientOptions } from './index.ts';

let registry: Registry;
let proxy: FaultProxy;
let image: { store: ContentStore; index: Descriptor; layers: Descriptor[] };

describe('an answer of a registry', needs('registry'), () => {
  beforeAll(async () => {
    registry = await startRegistry();
    image = await makeImage(300_000);
    await using client = createTestClient();
    const repository = client.openRepository(parseReference(`${registry.host}/app`));
    await copyImage(image.index, { from: image.store, to: repository });
    await repository.tag(image.index, '1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await startFaultProxy(registry.host);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const pull = async (store: ContentStore, options: Partial<RegistryClientOptions> = {}): Promise<void> => {
    await using client = createTestClient({ clock: createFastClock(), ...options });
    const repository = client.openRepository(parseReference(`${proxy.host}/app`));
    await copyImage(await repository.resolve('1'), { from: repository, to: store });
  };
  const isLayer = (line: string) => image.layers.some(({ digest }) => line.endsWith(`GET /v2/app/blobs/${digest}`));
  const isTag = (line: string) => line.endsWith('/manifests/1');
  const once =
    (matches: (line: string) => boolean, fault: Fault) =>
    (line: string, before: number): Fault | undefined =>
      before === 0 && matches(line) ? fault : undefined;

  test.each([
    ['a layer whose headers break off', isLayer, { kind: 'cut-headers' }],
    ['a tag whose headers break off', isTag, { kind: 'cut-headers' }],
    ['a tag that breaks off', isTag, { kind: 'cut-answer', after: 50 }],
    ['a layer that comes to a standstill', isLayer, { kind: 'stall', after: 100_000 }],
    ['a layer that comes late', isLayer, { kind: 'delay', milliseconds: 150 }],
    ['a layer in a gateway that fails', isLayer, { kind: 'answer', status: 502 }],
  ] as const)('is requested again: %s', async (_, matches, fault) => {
    proxy.decide = once(matches, fault);
    const store = createMemoryStore();
    await pull(store, { idleTimeoutMs: 1000 });
    for (const { digest } of [image.index, ...image.layers]) expect(await store.has({ digest })).toBe(true);
  });

  test('that never comes is an error without another attempt', async () => {
    proxy.decide = once(isTag, { kind: 'hang' });
    await expect(pull(createMemoryStore(), { idleTimeoutMs: 400 })).rejects.toMatchObject({
      code: 'REGISTRY',
      message: `Registry ${proxy.host} does not answer: i/o timeout`,
    });
    expect(proxy.seen.filter(({ line }) => isTag(line))).toHaveLength(1);
  });

  test('that it has a blob is not requested again, nor for a blob that was read or written', async () => {
    await using client = createTestClient();
    const open = () => client.openRepository(parseReference(`${proxy.host}/app`));
    const [asked, read] = image.layers;
    if (asked === undefined || read === undefined) throw new Error('Expected two layers');
    for (let count = 0; count < 2; count++) expect(await open().has(asked)).toBe(true);
    for await (const _ of await open().read(read)) continue;
    const bytes = Buffer.from('new');
    const written = { ...read, digest: digestOf(bytes), size: bytes.length };
    expect(await open().has(written)).toBe(false);
    await open().write(fromBytes(bytes), written);
    for (const blob of [read, written]) expect(await open().has(blob)).toBe(true);
    const questions = proxy.seen.filter(({ line }) => line.startsWith('HEAD '));
    expect(questions.map(({ line }) => line)).toEqual(
      [asked, written].map(({ digest }) => `HEAD /v2/app/blobs/${digest}`),
    );
  });

  test('that it has a blob no longer counts after it refused a document', async () => {
    await using client = createTestClient();
    const repository = client.openRepository(parseReference(`${proxy.host}/app`));
    const [layer = image.index] = image.layers;
    proxy.decide = (line) => (line.startsWith('PUT ') ? { kind: 'answer', status: 404 } : undefined);
    expect(await repository.has(layer)).toBe(true);
    const { mediaType } = image.index;
    await expect(repository.pushManifest({ bytes: Buffer.from('{}'), mediaType }, '2')).rejects.toThrow('404');
    expect(await repository.has(layer)).toBe(true);
    expect(proxy.seen.filter(({ line }) => line.startsWith('HEAD '))).toHaveLength(2);
  });

  test('that is a web page counts neither as a blob, as a pushed image nor as a login', async () => {
    const page = { kind: 'answer', status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } } as const;
    await using client = createTestClient();
    proxy.decide = () => page;
    const repository = client.openRepository(parseReference(`${proxy.host}/app`));
    const hint = 'Check the address: another server than a registry may answer there';
    for (const blob of [image.index, ...image.layers]) expect(await repository.has(blob)).toBe(false);
    await expect(copyImage(image.index, { from: image.store, to: repository })).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining(`Registry ${proxy.host} answered 200 to POST`),
      hint,
    });
    await expect(client.authenticate(proxy.host)).rejects.toMatchObject({
      message: `Server ${proxy.host} is not a registry: it answers with a web page`,
      hint,
    });
  });

  test.each([
    ['a layer that says to be shorter', isLayer, { 'content-length': '1000' }],
    ['a tag with another digest', isTag, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }],
    ['a tag of no image', isTag, { 'content-type': 'text/html' }],
  ])('that contradicts itself is refused: %s', async (_, matches, headers) => {
    proxy.decide = (line) => (matches(line) ? { kind: 'headers', headers } : undefined);
    const store = createMemoryStore();
    const said = await pull(store).then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
    // The document itself has its media type.
    if ('content-type' in headers) return expect(said).toBe('nothing');
    expect(said).toMatch(/bytes, expected|digest|broke the connection/);
    expect(await store.has({ digest: image.index.digest })).toBe(false);
  });

  test.each([
    ['redirects without end', { status: 307, headers: { location: '?again' } }, /redirects more than 10 times/],
    ['redirects to nowhere', { status: 307, headers: { location: 'http://[' } }, /redirects to "http:\/\/\["/],
    ['redirects to a file', { status: 307, headers: { location: 'file:///etc/passwd' } }, /redirects to "file:/],
    ['is a page for people', { status: 200, body: '<html>log in</html>' }, /not valid JSON/],
    ['is nothing', { status: 200 }, /not valid JSON/],
    ['is schema 1', { status: 200, body: '{"schemaVersion":1,"fsLayers":[]}' }, /Docker schema 1/],
    ['demands a token of itself', { status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } }, /"x"/],
    [
      'demands credentials without end',
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
      /denied, .* \(401 for /,
    ],
  ])('that %s is reported', async (_, answer, message) => {
    proxy.decide = (line) => (isTag(line.replace(/\?.*/, '')) ? { kind: 'answer', ...answer } : undefined);
    const credentials: RegistryClientOptions['credentials'] = async () => ({
      kind: 'password',
      username: 'a',
      password: 's3cret',
    });
    const error = await pull(createMemoryStore(), { credentials }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: expect.any(String), message: expect.stringMatching(message) });
    expect(JSON.stringify(error)).not.toContain('s3cret');
    expect(proxy.seen.length).toBeLessThan(15);
  });
});

test('a loopback registry that requires a client certificate is reported at once', needs('registry'), async () => {
  await using guarded = await startRegistry({ tls: true, demandsCertificate: true });
  const clock = createFastClock();
  await using client = createTestClient({ clock });
  await expect(client.openRepository(parseReference(`${guarded.host}/app`)).resolve('1')).rejects.toMatchObject({
    code: 'REGISTRY',
    message: `Registry ${guarded.host} requires a client certificate`,
    hint: `Put a valid one into ~/.docker/certs.d/${guarded.host}/client.cert and client.key`,
  });
  expect(clock.slept).toEqual([]);
  const read = (path = '') => readFileSync(path, 'utf8');
  const damaged = { client: { certificate: 'garbage', key: 'garbage' } };
  await using wrong = createTestClient({ certificates: () => damaged });
  await expect(wrong.openRepository(parseReference(`${guarded.host}/app`)).resolve('1')).rejects.toMatchObject({
    message: `Registry ${guarded.host} requires a client certificate, but the configured one is damaged`,
  });
  const certificates = () => ({ client: { certificate: read(guarded.certificate), key: read(guarded.key) } });
  await using known = createTestClient({ certificates });
  await expect(known.openRepository(parseReference(`${guarded.host}/app`)).resolve('1')).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
