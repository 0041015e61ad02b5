import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, createLocalStore, createMemoryStore, createRefs, readWhole } from '@tbuild/content';
import { testTarget } from '@tbuild/content/testsuite';
import { MediaType, parseReference } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/support/daemon.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createTestClient, makeImage } from '../test/client.ts';
import type { Repository } from './index.ts';

const client = createTestClient();
let registry: Registry;
let count = 0;
const openEmpty = (): Repository => client.openRepository(parseReference(`${registry.host}/test/r${(count += 1)}`));
const scratch = mkdtempSync(join(tmpdir(), 'tbuild-registry-'));

describe('a real registry', needs('registry'), () => {
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(async () => {
    rmSync(scratch, { recursive: true });
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  testTarget('repository', async () => openEmpty());

  test('stores and returns an index of two platforms', async () => {
    const { store, index } = await makeImage(3_000_000);
    const repository = openEmpty();
    await copyImage(index, { from: store, to: repository });
    await repository.tag(index, '1.0');
    const fresh = createTestClient().openRepository(parseReference(repository.name));
    const resolved = await fresh.resolve('1.0');
    expect(resolved).toEqual(index);
    expect(await fresh.resolve(index.digest)).toEqual(index);
    const back = createMemoryStore();
    await copyImage(resolved, { from: fresh, to: back });
    expect(await digests(back)).toEqual(await digests(store));
  });

  test('receives nothing in a second push', async () => {
    const { store, index } = await makeImage();
    const repository = openEmpty();
    await copyImage(index, { from: store, to: repository });
    const empty = createMemoryStore();
    await copyImage(index, { from: empty, to: repository }, { trustParents: true });
    await copyImage(index, { from: empty, to: repository });
  });

  test('mounts blobs from another repository', async () => {
    const { store, index, layers } = await makeImage();
    const [first, second] = [openEmpty(), openEmpty()];
    await copyImage(index, { from: store, to: first });
    const [layer = index] = layers;
    expect(await second.has({ digest: layer.digest })).toBe(false);
    expect(await second.mount(layer.digest, first.name.split('/').slice(1).join('/'))).toBe(true);
    expect(await second.has({ digest: layer.digest })).toBe(true);
    expect(await second.mount(layer.digest, 'no/such')).toBe(false);
  });

  test('receives a manifest twice and its blobs once for two tags', async () => {
    const { store, index } = await makeImage();
    const repository = openEmpty();
    await copyImage(index, { from: store, to: repository });
    const bytes = await readWhole(store, index);
    for (const tag of ['a', 'b'])
      expect(await repository.pushManifest({ bytes, mediaType: index.mediaType }, tag)).toEqual(index);
    expect((await repository.resolve('b')).digest).toBe(index.digest);
  });

  test.each([
    [
      'tag',
      async (repository: Repository) => repository.resolve('absent'),
      /^127\.0\.0\.1:\d+\/test\/r\d+:absent: not found \(404 MANIFEST_UNKNOWN\)$/,
    ],
    [
      'digest',
      async (repository: Repository) => repository.resolve(`sha256:${'0'.repeat(64)}`),
      /^127.*@sha256:0+: not found/,
    ],
  ])('a %s that is absent is not found', async (_, ask, message) => {
    await expect(ask(openEmpty())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      message: expect.stringMatching(message),
    });
  });

  test('that refuses connections is reported', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const repository = client.openRepository(parseReference(`${host}/app`));
    await expect(repository.resolve('latest')).rejects.toMatchObject({
      code: 'REGISTRY',
      message: `Registry ${host} cannot be reached: connection refused`,
    });
  });

  test('that does not exist is reported', async () => {
    const repository = client.openRepository(parseReference('registry.invalid/app'));
    await expect(repository.resolve('latest')).rejects.toMatchObject({
      code: 'REGISTRY',
      message: 'Registry registry.invalid has no address: no such host',
    });
  });

  test('exchanges images with skopeo', async () => {
    const { store, index } = await makeImage();
    const root = join(scratch, 'layout');
    const local = createLocalStore(root);
    await copyImage(index, { from: store, to: local });
    createRefs(storeLayout(root)).set([{ reference: parseReference('app:1'), target: index }]);
    const repository = openEmpty();
    const name = `docker://${repository.name}`;
    execFileSync('skopeo', [
      'copy',
      '--all',
      '--preserve-digests',
      '--dest-tls-verify=false',
      `oci:${root}:app:1`,
      `${name}:from-skopeo`,
    ]);
    expect(await repository.resolve('from-skopeo')).toEqual(index);
    const other = openEmpty();
    await copyImage(index, { from: store, to: other });
    await other.tag(index, 'ours');
    const raw = execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${other.name}:ours`], {
      encoding: 'utf8',
    });
    expect(JSON.parse(raw).mediaType).toBe(MediaType.index);
  });
});

describe('TLS', needs('registry'), () => {
  test('is verified for a registry that is not on loopback, unless it is insecure', async () => {
    await using secure = await startRegistry({ tls: true });
    // The same address in a form that does not count as loopback.
    const host = secure.host.replace('127.0.0.1', '127.1');
    const reference = parseReference(`${host}/app`);
    await using strict = createTestClient();
    await expect(strict.openRepository(reference).resolve('latest')).rejects.toMatchObject({
      code: 'REGISTRY',
      message: `Registry ${secure.host} cannot be trusted: certificate signed by unknown authority`,
    });
    await using trusting = createTestClient({ ca: () => readFileSync(secure.certificate ?? '', 'utf8') });
    await using lenient = createTestClient({ insecure: (registry) => registry === host });
    for (const own of [trusting, lenient]) {
      await expect(own.openRepository(reference).resolve('latest')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test('is detected on loopback, with any certificate', async () => {
    await using secure = await startRegistry({ tls: true });
    await using own = createTestClient();
    const repository = own.openRepository(parseReference(`${secure.host}/app`));
    const { store, index } = await makeImage();
    await copyImage(index, { from: store, to: repository });
    expect(await repository.has({ digest: index.digest, mediaType: index.mediaType })).toBe(true);
  });
});

async function digests(store: { list(): AsyncIterable<{ digest: string }> }): Promise<string[]> {
  const all: string[] = [];
  for await (const { digest } of store.list()) all.push(digest);
  return all.sort();
}
