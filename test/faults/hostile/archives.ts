import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLocalStore } from '@tbuild/content';
import { createDiffer, readArchive, unpackArchive } from '@tbuild/diff';
import { createTreeWriter } from '@tbuild/snapshot';
import { loadImages } from '@tbuild/sources';
import type { Random } from '../../support/random.ts';
import { type NewMember, tarOf } from '../../support/write-tar.ts';
import type { HostileKind } from './hostile-kind.ts';
import { mutateBytes, mutateJson } from './mutate.ts';

/** Archives of contexts, layers and images. Their trees are written below `root`, beside nothing. */
export const ARCHIVES: readonly HostileKind<Buffer>[] = [
  {
    name: 'archives',
    inputs: 200,
    make: (random) => compressed(mutateBytes(tarOf(members(random)), random), random),
    async read(bytes, { directory, signal }) {
      const root = join(directory, 'root');
      mkdirSync(root);
      writeFileSync(join(directory, 'archive'), bytes);
      const writer = createTreeWriter({ upper: root, lowers: [], flavour: 'trusted' });
      const options = { writer, destination: '', signal, onSkippedDevice: () => {} };
      await unpackArchive(join(directory, 'archive'), options);
      writer.finish();
    },
  },
  {
    name: 'layers',
    inputs: 200,
    make: (random) => mutateBytes(tarOf(members(random)), random),
    async read(bytes, { directory, signal }) {
      const root = join(directory, 'root');
      mkdirSync(root);
      const content = createLocalStore(join(directory, 'content'));
      const blob = await content.write(pieces(bytes));
      const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...blob };
      await createDiffer({ content, flavour: 'trusted' }).extract(layer, root, { from: content, signal });
    },
  },
  {
    name: 'compressed streams',
    make: (random) => mutateBytes(compressed(tarOf(members(random)), random), random),
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

const PARTS = ['a', 'b', 'l', '..', '.', '', 'é', '.wh.a', '.wh..wh..opq', '.wh.', 'n'.repeat(99)];
const TARGETS = ['/', '..', '../outside', '../../../../../../etc/passwd', 'l', 'a', '.', '/root/a', ''];
const PAX = ['path', 'linkpath', 'size', 'mtime', 'uid', 'SCHILY.xattr.user.x', 'SCHILY.xattr.trusted.overlay.opaque'];
const PAX_VALUES = ['../../outside/x', '-1', '9'.repeat(30), '1e3', '', '/', 'y', `${'d/'.repeat(500)}x`, '0'];

function members(random: Random): readonly NewMember[] {
  const path = (): string =>
    (random.int(8) === 0 ? '/' : '') + Array.from({ length: 1 + random.int(4) }, () => random.pick(PARTS)).join('/');
  return Array.from({ length: 1 + random.int(10) }, () => ({
    name: path(),
    type: random.pick(['file', 'file', 'directory', 'link', 'symlink'] as const),
    linkname: random.int(2) === 0 ? random.pick(TARGETS) : path(),
    mode: random.int(0o10000),
    data: 'x'.repeat(random.pick([0, 1, 511, 512, 513])),
    ...(random.int(4) === 0 ? { pax: { [random.pick(PAX)]: random.pick(PAX_VALUES) } } : {}),
  }));
}

/** The members of what `docker save` writes. */
function imageMembers(random: Random): readonly NewMember[] {
  const layer = tarOf([{ name: 'a', data: 'a' }]);
  const config = {
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  };
  const manifest = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: ['a/layer.tar'] }];
  const all: readonly NewMember[] = [
    { name: 'manifest.json', data: JSON.stringify(mutateJson(manifest, random)) ?? '' },
    { name: 'config.json', data: JSON.stringify(mutateJson(config, random)) ?? '' },
    { name: 'a/layer.tar', data: mutateBytes(layer, random) },
    {
      name: 'b/layer.tar',
      type: 'symlink',
      linkname: random.pick(['../a/layer.tar', '../b/layer.tar', '/etc/passwd']),
    },
    { name: 'index.json', data: JSON.stringify(mutateJson({ schemaVersion: 2, manifests: [] }, random)) ?? '' },
  ];
  return all.filter(() => random.int(8) > 0);
}

function compressed(bytes: Buffer, random: Random): Buffer {
  return random.int(3) === 0 ? gzipSync(bytes) : bytes;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}
