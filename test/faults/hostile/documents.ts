import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCache } from '@tbuild/cache';
import { createLocalStore, createMemoryStore, fromBytes, openLayout, readWhole } from '@tbuild/content';
import {
  chainId,
  childrenOf,
  type Descriptor,
  digestOf,
  INLINE_CACHE_MEMBER,
  parseImageConfig,
  parseManifest,
} from '@tbuild/oci';
import type { Random } from '../../support/random.ts';
import { writeFiles } from '../run-tbuild.ts';
import type { HostileKind, HostilePlace } from './hostile-kind.ts';
import { jsonOf, mutateBytes, mutateJson } from './mutate.ts';

const NOTES_TYPE = 'application/vnd.tbuild.cache.explanations.v1+gzip';
const ZEROS = `sha256:${'0'.repeat(64)}`;
const EMPTY = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
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
const LAYOUT = { ...INDEX, manifests: [{ ...INDEX.manifests[0], ...EMPTY, annotations: MANIFEST.annotations }] };
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
  mounts: [{ name: '0'.repeat(64), layer: 0 }],
  outlines: { [ZEROS]: { '': { mode: 0o755, uid: 0, gid: 0, mtimeMs: 1.5, names: ['a'] }, 'a/b': null } },
  diffIds: [ZEROS, ZEROS],
};
const NOTES = [['0'.repeat(32), 'why']];

/** The documents of a cache, and the one that its name stands for. */
interface HostileCache {
  readonly documents: readonly Buffer[];
  readonly root: Descriptor;
}

/** Documents of registries, layouts and caches. */
export const DOCUMENTS: readonly (HostileKind<Buffer> | HostileKind<HostileCache>)[] = [
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
    make: (random) => textOf(LAYOUT, random),
    prepare(directory) {
      writeFiles(directory, { 'index.json': '', [`blobs/${EMPTY.digest.replace(':', '/')}`]: '{}' });
    },
    async read(bytes: Buffer, { directory, signal }: HostilePlace) {
      writeFileSync(join(directory, 'index.json'), bytes);
      const { provider, resolve } = await openLayout(directory);
      await readWhole(provider, await resolve(), signal);
    },
  },
  {
    name: 'caches',
    make: cacheOf,
    async read({ documents, root }: HostileCache, { signal }: HostilePlace) {
      const store = createMemoryStore();
      for (const document of documents) await store.write(fromBytes(document));
      const read = await readCache(store, root, signal);
      await read.notes?.(signal);
    },
  },
  {
    name: 'blobs of a store',
    make: (random) => mutateBytes(Buffer.from(JSON.stringify(MANIFEST)), random),
    prepare: (directory) => mkdirSync(join(directory, 'blobs/sha256'), { recursive: true }),
    async read(bytes: Buffer, { directory, signal }: HostilePlace) {
      const store = createLocalStore(directory);
      const digest = digestOf(JSON.stringify(MANIFEST));
      writeFileSync(store.path(digest), bytes);
      await readWhole(store, { mediaType: '', digest, size: bytes.length }, signal);
    },
  },
];

/**
 * Returns a cache of its own, or one in the configuration of an image. At most two of its documents are mutated. Others name
 * them by the digests that they have then, so that they are read.
 */
function cacheOf(random: Random): HostileCache {
  const documents: Buffer[] = [];
  const put = (mediaType: string, data: Buffer): Descriptor => {
    documents.push(data);
    return { mediaType, digest: digestOf(data), size: data.length };
  };
  const mutated = [random.int(5), random.int(5)];
  const text = (number: number, value: object): Buffer =>
    Buffer.from(jsonOf(mutated.includes(number) ? mutateJson(value, random) : value));
  const own = text(0, CACHE_CONFIG);
  const config =
    random.int(3) === 0
      ? put(EMPTY.mediaType, text(1, { ...CONFIG, [INLINE_CACHE_MEMBER]: own.toString('base64') }))
      : put('application/vnd.tbuild.cache.config.v1+json', own);
  const zipped = gzipSync(text(2, NOTES));
  const notes = put(NOTES_TYPE, random.int(10) === 0 ? mutateBytes(zipped, random) : zipped);
  const manifest = put(MANIFEST.mediaType, text(3, { ...MANIFEST, config, layers: [...MANIFEST.layers, notes] }));
  const isIndexed = random.int(3) === 0;
  const root = isIndexed ? put(INDEX.mediaType, text(4, { ...INDEX, manifests: [manifest, manifest] })) : manifest;
  return { documents, root };
}

/** Returns a mutated document, sometimes with broken bytes. */
function textOf(document: object, random: Random): Buffer {
  const bytes = Buffer.from(jsonOf(mutateJson(document, random)));
  return random.int(10) === 0 ? mutateBytes(bytes, random) : bytes;
}
