import { copyImage, createMemoryStore, type ContentStore } from '@tbuild/content';
import { parseReference, type Descriptor, type Reference } from '@tbuild/oci';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/support/daemon.ts';
import { startFaultProxy, type Fault } from '../../../test/support/fault-proxy.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createFastClock, createTestClient, makeImage } from '../test/client.ts';

describe('mirrors are used', needs('registry'), () => {
  let [origin, mirror]: Registry[] = [];
  let image: { store: ContentStore; index: Descriptor; layers: Descriptor[] };
  const at = (host = ''): string => `${host}/team/app`;

  beforeAll(async () => {
    [origin, mirror] = await Promise.all([startRegistry(), startRegistry()]);
    image = await makeImage(300_000);
    await using client = createTestClient();
    for (const name of [at(origin.host), `${mirror.host}/proxy/team/app`]) {
      const repository = client.openRepository(parseReference(name));
      await copyImage(image.index, { from: image.store, to: repository });
      await repository.tag(image.index, '1');
    }
  });
  afterAll(async () => {
    await origin?.[Symbol.asyncDispose]();
    await mirror?.[Symbol.asyncDispose]();
  });

  const pull = async (places: (reference: Reference) => readonly string[]): Promise<void> => {
    await using client = createTestClient({ clock: createFastClock(), places });
    const repository = client.openRepository(parseReference(at(origin?.host)));
    const store = createMemoryStore();
    await copyImage(await repository.resolve('1'), { from: repository, to: store });
    for (const { digest } of [image.index, ...image.layers]) expect(await store.has({ digest })).toBe(true);
  };

  test('if the registry itself cannot be reached', async () => {
    const down = `127.0.0.1:${await freePort()}`;
    await using client = createTestClient({ places: () => [at(down), `${mirror?.host}/proxy/team/app`, at(down)] });
    const repository = client.openRepository(parseReference(at(down)));
    await copyImage(await repository.resolve('1'), { from: repository, to: createMemoryStore() });
  });

  test.each<[string, (line: string) => Fault | undefined]>([
    ['has nothing', () => ({ kind: 'answer', status: 404 })],
    ['is broken', () => ({ kind: 'answer', status: 500 })],
    ['wants a password', () => ({ kind: 'answer', status: 401 })],
    ['answers with pages for people', () => ({ kind: 'answer', status: 200, body: '<html>' })],
    ['serves wrong bytes of layers', (line) => (line.includes('/blobs/') ? { kind: 'corrupt', at: 100 } : undefined)],
    ['serves wrong manifests', (line) => (line.includes('/manifests/sha') ? { kind: 'corrupt', at: 9 } : undefined)],
    ['breaks off in layers', (line) => (line.includes('/blobs/') ? { kind: 'cut-answer', after: 40_000 } : undefined)],
  ])('unless one %s: then the next is asked', async (_, decide) => {
    await using bad = await startFaultProxy(mirror?.host ?? '');
    bad.decide = (line) => (line === 'GET /v2/' ? undefined : decide(line));
    await pull(() => [`${bad.host}/proxy/team/app`, at(origin?.host)]);
    expect(bad.seen.length).toBeGreaterThan(0);
  });

  test('and an unreachable one is tried once for all repositories', async () => {
    await using broken = await startFaultProxy(mirror?.host ?? '');
    broken.decide = () => ({ kind: 'cut-headers' });
    await using client = createTestClient({
      clock: createFastClock(),
      places: ({ repository }) => [`${broken.host}/${repository}`, `${origin?.host}/${repository}`],
    });
    const resolve = () => client.openRepository(parseReference(at(origin?.host))).resolve('1');
    await resolve();
    const asked = broken.seen.length;
    await resolve();
    expect(broken.seen.length).toBe(asked);
  });

  test('exclusively if the registry itself is not listed', async () => {
    await using client = createTestClient({ places: () => [`${mirror?.host}/other/app`] });
    await expect(client.openRepository(parseReference(at(origin?.host))).resolve('1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`${mirror?.host}/other/app:1`),
    });
  });

  test('for pulls, while pushes go to the registry itself', async () => {
    await using client = createTestClient({ places: () => [`${mirror?.host}/nobody/writes/here`, at(origin?.host)] });
    const other = client.openRepository(parseReference(at(origin?.host)), 'push');
    await other.tag(image.index, '2');
    await using direct = createTestClient();
    expect(await direct.openRepository(parseReference(at(origin?.host))).resolve('2')).toEqual(image.index);
  });
});
