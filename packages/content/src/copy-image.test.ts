import { encodeImage, encodeIndex, MediaType, type Descriptor, type Digest, type EncodedImage } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { copyImage, createMemoryStore, fromBytes, type ContentStore } from './index.ts';

const shared = Buffer.from('layer of both');

test('copyImage copies everything once, children before parents', async () => {
  const { store, index } = await twoPlatforms();
  const to = recording(createMemoryStore());
  await copyImage(index, { from: store, to: to.store });
  expect(to.written).toHaveLength(8);
  expect(new Set(to.written).size).toBe(8);
  expect(to.written.at(-1)).toBe(index.digest);
  expect(await digestsOf(to.store)).toEqual(await digestsOf(store));
});

test('copyImage skips blobs that exist, looks below documents that exist, and reports each blob to its end', async () => {
  const { store, index, images } = await twoPlatforms();
  const to = recording(createMemoryStore());
  await copyImage(index, { from: store, to: to.store });
  const [layer] = images[0]?.layers ?? [];
  if (!layer) throw new Error('no layer');
  await to.store.delete(layer.descriptor.digest);
  to.written.length = 0;
  const done = new Map<Digest, number>();
  await copyImage(
    index,
    { from: store, to: to.store },
    {
      onProgress: (target, bytes) => done.set(target.digest, target.size - bytes),
    },
  );
  expect(to.written).toEqual([layer.descriptor.digest]);
  expect([...done.values()]).toEqual(Array(8).fill(0));
  await to.store.delete(layer.descriptor.digest);
  await copyImage(index, { from: store, to: to.store }, { trustParents: true });
  expect(await to.store.has({ digest: layer.descriptor.digest })).toBe(false);
});

test('copyImage writes a referrer after its subject', async () => {
  const { store, index, images } = await twoPlatforms();
  const [about] = images;
  if (about === undefined) throw new Error('no image');
  const put = async (mediaType: string, document: object): Promise<Descriptor> => ({
    mediaType,
    ...(await store.write(fromBytes(Buffer.from(JSON.stringify(document))))),
  });
  const config = await put(MediaType.empty, {});
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [] };
  const said = await put(MediaType.manifest, { ...manifest, subject: about.manifest.descriptor });
  const root = await put(MediaType.index, {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [index, said, about.manifest.descriptor],
  });
  const to = recording(createMemoryStore());
  await copyImage(root, { from: store, to: to.store });
  expect(to.written.indexOf(said.digest)).toBeGreaterThan(to.written.indexOf(about.manifest.descriptor.digest));
});

test('copyImage copies only the manifests that the filter accepts', async () => {
  const { store, index, images } = await twoPlatforms();
  const to = createMemoryStore();
  await copyImage(
    index,
    { from: store, to },
    {
      filter: (child) => child.platform === undefined || child.platform.architecture === 'arm64',
    },
  );
  expect(await to.has({ digest: images[0]?.manifest.descriptor.digest ?? `sha256:` })).toBe(false);
  expect(await to.has({ digest: images[1]?.manifest.descriptor.digest ?? `sha256:` })).toBe(true);
});

test('copyImage does not read a mounted blob', async () => {
  const { store, index } = await twoPlatforms();
  const to = recording(createMemoryStore());
  const mounted: Digest[] = [];
  await copyImage(
    index,
    { from: store, to: to.store },
    {
      mount: async (blob) => {
        const isLayer = blob.mediaType === MediaType.layer;
        if (isLayer) mounted.push(blob.digest);
        return isLayer;
      },
    },
  );
  expect(mounted).toHaveLength(3);
  expect(to.written.filter((digest) => mounted.includes(digest))).toEqual([]);
});

test('the first failure of copyImage aborts the rest, and no document is written', async () => {
  const { store, index, images } = await twoPlatforms();
  await store.delete(images[1]?.config.descriptor.digest ?? `sha256:`);
  const to = recording(createMemoryStore());
  await expect(copyImage(index, { from: store, to: to.store }, { concurrency: 1 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(to.written).not.toContain(index.digest);
  expect(to.written).not.toContain(images[1]?.manifest.descriptor.digest);
});

test('copyImage does not start when it is aborted', async () => {
  const { store, index } = await twoPlatforms();
  const reason = new Error('stop');
  await expect(
    copyImage(index, { from: store, to: createMemoryStore() }, { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
});

async function twoPlatforms(): Promise<{ store: ContentStore; index: Descriptor; images: EncodedImage[] }> {
  const store = createMemoryStore();
  const images: EncodedImage[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const blobs = await Promise.all([shared, Buffer.from(architecture)].map((bytes) => store.write(fromBytes(bytes))));
    const layers = blobs.map((blob) => ({ descriptor: { mediaType: MediaType.layer, ...blob }, diffId: blob.digest }));
    const image = encodeImage({
      platform: { os: 'linux', architecture },
      config: {},
      layers: layers.slice(0, 2),
      history: [],
    });
    for (const { bytes, descriptor } of [image.config, image.manifest]) await store.write(fromBytes(bytes), descriptor);
    images.push(image);
  }
  const index = encodeIndex(
    images.map(({ manifest }, at) => ({
      ...manifest.descriptor,
      platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
    })),
  );
  await store.write(fromBytes(index.bytes), index.descriptor);
  return { store, index: index.descriptor, images };
}

function recording(store: ContentStore): { store: ContentStore; written: Digest[] } {
  const written: Digest[] = [];
  return {
    written,
    store: {
      ...store,
      async write(source, expected, signal) {
        const blob = await store.write(source, expected, signal);
        written.push(blob.digest);
        return blob;
      },
    },
  };
}

async function digestsOf(store: ContentStore): Promise<Digest[]> {
  const digests: Digest[] = [];
  for await (const { digest } of store.list()) digests.push(digest);
  return digests.sort();
}
