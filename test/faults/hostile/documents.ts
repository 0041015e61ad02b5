import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCache } from '@tbuild/cache';
import { createLocalStore, createMemoryStore, fromBytes, openLayout, readWhole } from '@tbuild/content';
import { chainId, childrenOf, type Descriptor, digestOf, parseImageConfig, parseManifest } from '@tbuild/oci';
import type { Random } from '../../support/random.ts';
import type { HostileKind, HostilePlace } from './hostile-kind.ts';
import { mutateBytes, mutateJson } from './mutate.ts';

const ZEROS = `sha256:${'0'.repeat(64)}`;
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: ZEROS, size: 3 };
const MANIFEST = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: ZEROS, size: 2 },
  layers: [LAYER, { ...LAYER, annotations: { a: 'b' } }],
  annotations: { 'org.opencontainers.image.ref.name': 'latest' },
};
const PLATFORM = { os: 'linux', architecture: 'arm', variant: 'v7' };
const INDEX = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [
    { mediaType: MANIFEST.mediaType, digest: ZEROS, size: 1, platform: PLATFORM },
    { mediaType: MANIFEST.mediaType, digest: ZEROS, size: 1, annotations: MANIFEST.annotations },
  ],
};
const CONFIG = {
  ...PLATFORM,
  created: '2024-01-02T03:04:05.6Z',
  config: {
    User: '0:0',
    Env: ['PATH=/bin', 'A=b'],
    Cmd: ['sh'],
    Entrypoint: ['/a'],
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/v': {} },
    Healthcheck: { Test: ['CMD', 'a'], Interval: 1e9 },
  },
  rootfs: { type: 'layers', diff_ids: [ZEROS] },
  history: [{ created: '2024-01-02T03:04:05Z', created_by: 'a' }, { empty_layer: true }],
};
const CACHE_CONFIG = {
  version: 1,
  steps: [
    { key: ZEROS, result: ZEROS, parent: ZEROS, createdAt: 1, layer: 0, contents: { ['0'.repeat(64)]: ZEROS } },
    { key: ZEROS, result: ZEROS, createdAt: 1, layer: 1 },
  ],
  mounts: [{ name: 'c', layer: 0 }],
  diffIds: [ZEROS, ZEROS],
};

interface CacheParts {
  readonly config: Buffer;
  readonly manifest: unknown;
}

/** Documents of registries, layouts and caches. */
export const DOCUMENTS: readonly (HostileKind<Buffer> | HostileKind<CacheParts>)[] = [
  {
    name: 'manifests and indexes',
    make: (random) => textOf(random.pick([MANIFEST, INDEX]), random),
    async read(bytes: Buffer) {
      childrenOf(parseManifest(bytes)).map(({ digest }) => digest);
    },
  },
  {
    name: 'configurations',
    make: (random) => textOf(CONFIG, random),
    async read(bytes: Buffer) {
      chainId(parseImageConfig(bytes).diffIds);
    },
  },
  {
    name: 'layouts',
    make: (random) => textOf(INDEX, random),
    async read(bytes: Buffer, { directory, signal }: HostilePlace) {
      mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
      writeFileSync(join(directory, 'index.json'), bytes);
      writeFileSync(join(directory, 'blobs', ZEROS.replace(':', '/')), '{}');
      const { provider, resolve } = await openLayout(directory);
      await readWhole(provider, await resolve(), signal);
    },
  },
  {
    name: 'caches',
    make: (random) => ({ config: textOf(CACHE_CONFIG, random), manifest: mutateJson(MANIFEST, random) }),
    async read({ config, manifest }: CacheParts, { signal }: HostilePlace) {
      const store = createMemoryStore();
      const configType = 'application/vnd.tbuild.cache.config.v1+json';
      const put = async (bytes: Buffer, mediaType: string): Promise<Descriptor> => ({
        mediaType,
        ...(await store.write(fromBytes(bytes))),
      });
      const described = await put(config, configType);
      const document = { ...Object(manifest), schemaVersion: 2, mediaType: MANIFEST.mediaType, config: described };
      await readCache(store, await put(Buffer.from(JSON.stringify(document)), MANIFEST.mediaType), signal);
    },
  },
  {
    name: 'blobs of a store',
    make: (random) => mutateBytes(Buffer.from(JSON.stringify(MANIFEST)), random),
    async read(bytes: Buffer, { directory, signal }: HostilePlace) {
      const store = createLocalStore(directory);
      const digest = digestOf(JSON.stringify(MANIFEST));
      mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
      writeFileSync(store.path(digest), bytes);
      await readWhole(store, { mediaType: '', digest, size: bytes.length }, signal);
    },
  },
];

/** Returns a mutated document, sometimes with broken bytes. */
function textOf(document: object, random: Random): Buffer {
  const bytes = Buffer.from(JSON.stringify(mutateJson(document, random)) ?? '');
  return random.int(4) === 0 ? mutateBytes(bytes, random) : bytes;
}
