import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLocalStore, createMemoryStore } from '@tbuild/content';
import { createDiffer, readArchive, unpackArchive } from '@tbuild/diff';
import { type Descriptor, digestOf, MediaType } from '@tbuild/oci';
import { createTreeWriter } from '@tbuild/snapshot';
import { loadImages } from '@tbuild/sources';
import type { Random } from '../../support/random.ts';
import { type NewMember, tarOf } from '../../support/write-tar.ts';
import type { HostileKind } from './hostile-kind.ts';
import { jsonOf, mutateBytes, mutateJson, mutateTar } from './mutate.ts';

/** Archives of contexts, layers and images. Their trees are written below `root`, beside nothing. */
export const ARCHIVES: readonly HostileKind<Buffer>[] = [
  {
    name: 'archives',
    inputs: 200,
    make: (random) => compressed(mutateTar(tarOf(members(random)), random), random),
    async read(bytes, { directory, signal }) {
      const root = join(directory, 'root');
      mkdirSync(root);
      writeFileSync(join(directory, 'archive'), bytes);
      const writer = createTreeWriter({ upper: root, lowers: [], flavour: 'trusted' });
      // As ADD does with some of them.
      const added = bytes.length % 1024 === 0 ? { now: 1000, owner: { uid: 1, gid: 2 } } : {};
      const options = { writer, destination: '', signal, onSkippedDevice: () => {}, ...added };
      await unpackArchive(join(directory, 'archive'), options);
      writer.finish();
    },
  },
  {
    name: 'layers',
    inputs: 200,
    make: (random) => mutateTar(tarOf(members(random)), random),
    async read(bytes, { directory, signal }) {
      const root = join(directory, 'root');
      mkdirSync(root);
      // Files of blobs cost a third of the time, and are a kind of their own.
      const content = bytes.length % 4096 === 0 ? createLocalStore(join(directory, 'content')) : createMemoryStore();
      const blob = await content.write(pieces(bytes));
      const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...blob };
      // Where the layers below are not known, it is read to the first member that needs them.
      const lowers = bytes.length % 1024 === 0 ? undefined : [writeLower(join(directory, 'lower'))];
      await createDiffer({ content, flavour: 'trusted' }).extract(layer, root, { from: content, lowers, signal });
    },
  },
  {
    name: 'compressed streams',
    make: (random) => {
      const archive = compressed(tarOf(members(random)), random);
      return random.int(2) === 0 ? mutateBytes(archive, random) : archive;
    },
    async read(bytes, { signal }) {
      await readArchive(pieces(bytes), () => ({ write() {}, end() {}, abort() {} }), { signal });
    },
  },
  {
    name: 'image archives',
    inputs: 200,
    make: (random) => tarOf(imageMembers(random)),
    async read(bytes, { directory, signal }) {
      await loadImages(pieces(bytes), { content: createLocalStore(directory) }, signal);
    },
  },
];

const PARTS = ['a', 'b', 'c', 'l', 'd', 'a', 'b', '..', '.', '', 'é', '.wh.a', '.wh..wh..opq', '.wh.', 'n'.repeat(99)];
const TARGETS = ['/', '..', '../outside', '../../../../../../etc/passwd', 'l', 'a', '.', '/root/a', ''];
const PAX = [
  'path',
  'linkpath',
  'size',
  'mtime',
  'uid',
  'GNU.sparse.size',
  'SCHILY.xattr.user.x',
  'SCHILY.xattr.trusted.overlay.opaque',
];
const PAX_VALUES = [
  '../../outside/x',
  '-1',
  '9'.repeat(30),
  '1e3',
  '',
  '/',
  'y',
  `${'d/'.repeat(500)}x`,
  '0',
  '4294967296',
];

/** Writes a tree with a file, a directory and a link that leads outside. */
function writeLower(directory: string): string {
  mkdirSync(join(directory, 'a'), { recursive: true });
  writeFileSync(join(directory, 'b'), '');
  symlinkSync('../../outside', join(directory, 'l'));
  return directory;
}

function members(random: Random): readonly NewMember[] {
  const path = (): string =>
    (random.int(8) === 0 ? '/' : '') + Array.from({ length: 1 + random.int(4) }, () => random.pick(PARTS)).join('/');
  const known: string[] = [];
  return Array.from({ length: 1 + random.int(10) }, () => {
    const name = path();
    const type = random.pick(['file', 'file', 'directory', 'link', 'symlink'] as const);
    const linkname = random.int(2) === 0 && known.length > 0 ? random.pick(known) : random.pick([path(), ...TARGETS]);
    known.push(name);
    return {
      name,
      type,
      linkname,
      mode: random.int(0o10000),
      data: 'x'.repeat(type === 'file' ? random.pick([0, 1, 511, 512, 513]) : 0),
      ...(random.int(12) === 0 ? { pax: { [random.pick(PAX)]: random.pick(PAX_VALUES) } } : {}),
    };
  });
}

/** What `docker save` writes, and a layout. What names a mutated document has its digest, so that it is read. */
function imageMembers(random: Random): readonly NewMember[] {
  const blobs: NewMember[] = [];
  const put = (mediaType: string, data: Buffer): Descriptor => {
    blobs.push({ name: `blobs/${digestOf(data).replace(':', '/')}`, data });
    return { mediaType, digest: digestOf(data), size: data.length };
  };
  const halfMutated = (value: object): Buffer =>
    Buffer.from(jsonOf(random.int(2) === 0 ? mutateJson(value, random) : value));
  const layer = random.int(3) === 0 ? mutateBytes(LAYER, random) : LAYER;
  const rootfs = { type: 'layers', diff_ids: [digestOf(LAYER)] };
  const config = halfMutated({
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs,
    history: [{ created_by: 'a' }],
  });
  const image = put(
    MediaType.manifest,
    halfMutated({ schemaVersion: 2, config: put(MediaType.config, config), layers: [put(MediaType.layer, layer)] }),
  );
  const named = { ...image, annotations: { 'org.opencontainers.image.ref.name': 'app:1' } };
  const inner = put(
    MediaType.index,
    halfMutated({ schemaVersion: 2, mediaType: MediaType.index, manifests: [image, image] }),
  );
  const all: readonly NewMember[] = [
    {
      name: 'manifest.json',
      data: halfMutated([{ Config: 'config.json', RepoTags: ['app:1'], Layers: ['b/layer.tar'] }]),
    },
    { name: 'config.json', data: config },
    { name: 'a/layer.tar', data: layer },
    { name: 'b/layer.tar', type: 'symlink', linkname: random.pick(['../a/layer.tar', '../a/layer.tar', ...LINKS]) },
    ...(random.int(2) === 0
      ? []
      : [{ name: 'index.json', data: halfMutated({ schemaVersion: 2, manifests: [named, inner] }) }]),
    ...blobs,
  ];
  return all.filter(() => random.int(24) > 0);
}

const LAYER = tarOf([{ name: 'a', data: 'a' }]);
const LINKS = ['../b/layer.tar', '/etc/passwd', '../../../a/layer.tar'];

/** Compresses some of the archives: as one stream, or as two whose first ends in the middle. */
function compressed(bytes: Buffer, random: Random): Buffer {
  const way = random.pick([undefined, undefined, gzipSync, zstdOf]);
  if (way === undefined) return bytes;
  const middle = random.int(4) === 0 ? random.int(bytes.length) : 0;
  return middle === 0 ? way(bytes) : Buffer.concat([way(bytes.subarray(0, middle)), way(bytes.subarray(middle))]);
}

/** Returns a frame of zstd (RFC 8878) with two blocks that are not compressed, and one that readers skip. */
function zstdOf(bytes: Buffer): Buffer {
  const number = (value: number, length: number): Buffer => {
    const field = Buffer.alloc(length);
    field.writeUIntLE(value, 0, length);
    return field;
  };
  const half = bytes.length >> 1;
  return Buffer.concat([
    // A single segment whose size has four bytes.
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]),
    number(bytes.length, 4),
    number(half << 3, 3),
    bytes.subarray(0, half),
    number(((bytes.length - half) << 3) | 1, 3),
    bytes.subarray(half),
    number(0x184d2a53, 4),
    number(2, 4),
    Buffer.from('ab'),
  ]);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}
