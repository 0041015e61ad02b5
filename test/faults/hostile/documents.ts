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
import { type Random, seededRandom } from '../../support/random.ts';
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

/** The documents of a cache. Those above name those below by their digests, so that one that is mutated is also read. */
interface CacheParts {
  readonly config: Buffer;
  readonly configType: string;
  readonly notes: Buffer;
  manifest(config: Descriptor, notes: Descriptor): unknown;
  readonly index?: (manifest: Descriptor) => unknown;
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
    make: (random) => textOf(LAYOUT, random),
    async read(bytes: Buffer, { directory, signal }: HostilePlace) {
      mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
      writeFileSync(join(directory, 'index.json'), bytes);
      writeFileSync(join(directory, 'blobs', EMPTY.digest.replace(':', '/')), '{}');
      const { provider, resolve } = await openLayout(directory);
      await readWhole(provider, await resolve(), signal);
    },
  },
  {
    name: 'caches',
    make: cacheOf,
    async read(parts: CacheParts, { signal }: HostilePlace) {
      const store = createMemoryStore();
      const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => ({
        mediaType,
        ...(await store.write(fromBytes(bytes))),
      });
      const putJson = (value: unknown, type: string) => put(Buffer.from(jsonOf(value)), type);
      const [config, notes] = [await put(parts.config, parts.configType), await put(parts.notes, NOTES_TYPE)];
      const manifest = await putJson(parts.manifest(config, notes), MANIFEST.mediaType);
      const root = parts.index === undefined ? manifest : await putJson(parts.index(manifest), INDEX.mediaType);
      const read = await readCache(store, root, signal);
      await read.notes?.(signal);
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

/** Returns a cache of its own, or one in the configuration of an image. At most two of its documents are mutated. */
function cacheOf(random: Random): CacheParts {
  const seeds = new Map(Array.from({ length: 2 }, () => [random.int(5), random.int(2 ** 31)]));
  const mutated = (part: number, value: object): unknown => {
    const seed = seeds.get(part);
    return seed === undefined ? value : mutateJson(value, seededRandom(seed));
  };
  const textOfPart = (part: number, value: object) => Buffer.from(jsonOf(mutated(part, value)));
  const own = textOfPart(0, CACHE_CONFIG);
  const inImage = random.int(3) === 0;
  const notes = gzipSync(textOfPart(1, NOTES));
  return {
    config: inImage ? textOfPart(2, { ...CONFIG, [INLINE_CACHE_MEMBER]: own.toString('base64') }) : own,
    configType: inImage ? EMPTY.mediaType : 'application/vnd.tbuild.cache.config.v1+json',
    notes: random.int(10) === 0 ? mutateBytes(notes, random) : notes,
    manifest: (config, described) => mutated(3, { ...MANIFEST, config, layers: [...MANIFEST.layers, described] }),
    ...(random.int(3) === 0 ? { index: (only) => mutated(4, { ...INDEX, manifests: [only, only] }) } : {}),
  };
}

/** Returns a mutated document, sometimes with broken bytes. */
function textOf(document: object, random: Random): Buffer {
  const bytes = Buffer.from(jsonOf(mutateJson(document, random)));
  return random.int(10) === 0 ? mutateBytes(bytes, random) : bytes;
}
