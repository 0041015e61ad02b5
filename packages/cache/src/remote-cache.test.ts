import { createMemoryStore, fromBytes, type Ingester } from '@tbuild/content';
import { resultId, stepKey } from '@tbuild/graph';
import { digestOf, encodeImage, encodeIndex, hexOf, MediaType, type Layer } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { encodeCache, encodeInlineCache, readCache, writeCache, type CachedStep } from './index.ts';

const signal = new AbortController().signal;

async function layerIn(store: Ingester, text: string): Promise<Layer> {
  const { digest, size } = await store.write(fromBytes(Buffer.from(text)));
  return { diffId: digest, descriptor: { mediaType: MediaType.layer, digest, size } };
}

function step(name: string, layer: Layer, parent?: string): CachedStep {
  const base = parent === undefined ? {} : { parent: resultId(digestOf(parent)) };
  return {
    record: { key: stepKey(digestOf(`key ${name}`)), result: resultId(digestOf(name)), ...base, createdAt: 17 },
    layer,
    contents: { [hexOf(digestOf('selector'))]: digestOf('content') },
  };
}

test('writeCache writes the manifest after its layers, and readCache reads the steps', async () => {
  const [from, to] = [createMemoryStore(), createMemoryStore()];
  const layer = await layerIn(from, 'layer');
  const steps = [step('a', layer), step('b', await layerIn(from, 'other'), 'a'), step('c', layer, 'b')];
  const cache = encodeCache({ steps, mounts: [] });
  expect(cache.layers).toHaveLength(2);
  const write = () =>
    writeCache(
      cache,
      { from, to },
      {
        signal,
        writeManifest: async ({ bytes, descriptor }) => {
          for (const { digest } of cache.layers) expect(await to.has({ digest })).toBe(true);
          await to.write(fromBytes(bytes), descriptor);
        },
      },
    );
  await write();
  await write();
  const byKey = steps.toSorted((a, b) => (a.record.key < b.record.key ? -1 : 1));
  expect((await readCache(to, cache.manifest.descriptor, signal)).steps).toEqual(byKey);
});

test('the order of steps and mounts, and steps of several platforms, do not change a cache', async () => {
  const from = createMemoryStore();
  const [one, other] = [await layerIn(from, 'one'), await layerIn(from, 'other')];
  const steps = [step('a', one), step('b', other, 'a'), step('c', one, 'b')];
  const mounts = ['m', 'n'].map((name) => ({ name: hexOf(digestOf(name)), layer: one }));
  const first = encodeCache({ steps, mounts });
  const bare = steps.map(({ record, contents }) => ({ record, contents }));
  const second = encodeCache({ steps: [...bare, ...steps.toReversed()], mounts: mounts.toReversed() });
  expect(second).toEqual(first);
});

test('a cache without steps has a manifest', async () => {
  const [from, to] = [createMemoryStore(), createMemoryStore()];
  const cache = encodeCache({ steps: [], mounts: [] });
  const writeManifest = async () => void (await to.write(fromBytes(cache.manifest.bytes)));
  await writeCache(cache, { from, to }, { signal, writeManifest });
  expect(await readCache(to, cache.manifest.descriptor, signal)).toEqual({ steps: [], mounts: [] });
});

test('outlines of trees are read as they were written, and their order does not change a cache', async () => {
  const store = createMemoryStore();
  const directory = { mode: 0o2755, uid: 1, gid: 2, mtimeMs: 1250.5 };
  const tree = { '': directory, app: { ...directory, names: ['lib', '__proto__'] }, 'app/new': null };
  const outlines = { [digestOf('a')]: tree, [digestOf('b')]: { '': null } };
  const cache = encodeCache({ steps: [], mounts: [], outlines });
  const reordered = Object.fromEntries(Object.entries(outlines).toReversed());
  expect(encodeCache({ steps: [], mounts: [], outlines: reordered })).toEqual(cache);
  for (const { bytes } of [cache.config, cache.manifest]) await store.write(fromBytes(bytes));
  expect((await readCache(store, cache.manifest.descriptor, signal)).outlines).toEqual(outlines);
});

test('an inline cache refers to the layers of its image in any compression', async () => {
  const store = createMemoryStore();
  const layer = await layerIn(store, 'layer');
  const inlineCache = encodeInlineCache({ steps: [step('a', layer)], mounts: [] });
  const image = encodeImage({
    platform: { os: 'linux', architecture: 'amd64' },
    config: {},
    layers: [layer],
    history: [],
    inlineCache,
  });
  const { digest, size } = await store.write(fromBytes(image.config.bytes));
  const packed = { mediaType: MediaType.layerGzip, digest: digestOf('gzip'), size: 4 };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest, size },
    layers: [packed],
  };
  const stored = await store.write(fromBytes(Buffer.from(JSON.stringify(manifest))));
  const read = await readCache(store, { mediaType: MediaType.manifest, ...stored }, signal);
  expect(read.steps).toEqual([step('a', { descriptor: packed, diffId: layer.diffId })]);
});

test.each([
  ['another version', { version: 2 }],
  [
    'a step without a layer',
    { version: 1, steps: [{ key: digestOf('k'), result: digestOf('r'), createdAt: 1, layer: 3 }] },
  ],
  [
    'a key that is no digest',
    {
      version: 1,
      diffIds: [digestOf('d')],
      steps: [{ key: '../../x', result: digestOf('r'), createdAt: 1, layer: 0 }],
    },
  ],
  ...[
    { '../x': {} },
    { [digestOf('r')]: { app: { mode: 0o10000, uid: 0, gid: 0, mtimeMs: 0 } } },
    { [digestOf('r')]: { app: { mode: 0o755, uid: 0, gid: 0, mtimeMs: 1e30 } } },
  ].map((outlines): [string, object] => [`outlines ${JSON.stringify(outlines)}`, { version: 1, outlines }]),
])('a cache document with %s is refused', async (_name, config) => {
  const store = createMemoryStore();
  const written = await store.write(fromBytes(Buffer.from(JSON.stringify(config))));
  const layer = { mediaType: MediaType.layer, digest: digestOf('d'), size: 1 };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: 'application/vnd.tbuild.cache.config.v1+json', ...written },
    layers: [layer],
  };
  const root = await store.write(fromBytes(Buffer.from(JSON.stringify(manifest))));
  await expect(readCache(store, { mediaType: MediaType.manifest, ...root }, signal)).rejects.toMatchObject({
    code: 'REGISTRY',
  });
});

test('an image whose configuration is no JSON is refused with an error for users', async () => {
  const store = createMemoryStore();
  const config = { mediaType: MediaType.config, ...(await store.write(fromBytes(Buffer.from('no JSON')))) };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [] }));
  const manifest = { mediaType: MediaType.manifest, ...(await store.write(fromBytes(bytes))) };
  await expect(readCache(store, manifest, signal)).rejects.toMatchObject({ code: 'REGISTRY' });
});

test('indexes that name each other many times are read once each', async () => {
  const store = createMemoryStore();
  const cache = encodeCache({ steps: [], mounts: [] });
  for (const { bytes } of [cache.config, cache.manifest]) await store.write(fromBytes(bytes));
  let root = cache.manifest.descriptor;
  for (let level = 0; level < 20; level++) {
    const { bytes, descriptor } = encodeIndex(Array.from({ length: 20 }, () => root));
    await store.write(fromBytes(bytes));
    root = descriptor;
  }
  expect(await readCache(store, root, signal)).toMatchObject({ steps: [], mounts: [] });
});
