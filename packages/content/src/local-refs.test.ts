import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeImage, formatReference, MediaType, parseReference, type Descriptor } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { buildSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { createLocalStore, createRefs, fromBytes, openLayout } from './index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-refs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const emptyRoot = () => mkdtempSync(join(scratch, 'store-'));
const names = [
  'app:1',
  'other:1',
  '127.0.0.1:5000/team/app:1.2',
  'ghcr.io/a/b/c',
  `busybox@sha256:${'0'.repeat(64)}`,
  `${'long/'.repeat(45)}name`,
];

const TAG_MANY = `
import { parseReference } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { readFileSync } from 'node:fs';
import { createRefs } from './local-refs.ts';
const [, , root, prefix, target] = process.argv;
for (let index = 0; index < 25; index += 1) {
  createRefs(storeLayout(root)).set(parseReference(prefix + index), JSON.parse(target));
  if (!readFileSync(root + '/index.json', 'utf8').includes('"' + prefix + index + ':latest"')) throw new Error('not in the index');
}
`;

test('names are kept one by one, found and removed', async () => {
  const root = emptyRoot();
  const refs = createRefs(storeLayout(root));
  expect(refs.list()).toEqual([]);
  const target = await writeImage(root);
  for (const name of names) refs.set(parseReference(name), target);
  expect(
    refs
      .list()
      .map(({ reference }) => formatReference(reference))
      .sort(),
  ).toEqual(names.map((name) => formatReference(parseReference(name))).sort());
  expect(refs.list().map((ref) => ref.target)).toEqual(names.map(() => target));
  expect(refs.get(parseReference('docker.io/library/app:1'))).toEqual(target);
  expect(refs.get(parseReference('app:2'))).toBeUndefined();
  expect(refs.remove(parseReference('app:1'))).toBe(true);
  expect(refs.remove(parseReference('app:1'))).toBe(false);
  expect(refs.get(parseReference('app:1'))).toBeUndefined();
  expect(readIndex(root)).toHaveLength(names.length - 1);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('index.json has the name that the user typed and the full name', async () => {
  const root = emptyRoot();
  const target = { ...(await writeImage(root)), annotations: { own: 'kept' } };
  createRefs(storeLayout(root)).set(parseReference('app:1'), target);
  expect(readIndex(root)).toEqual([
    {
      ...target,
      annotations: {
        own: 'kept',
        'io.containerd.image.name': 'docker.io/library/app:1',
        'org.opencontainers.image.ref.name': 'app:1',
      },
    },
  ]);
  expect(createRefs(storeLayout(root)).get(parseReference('app:1'))).toEqual(target);
});

test('a store opens as a layout, by name, full name, tag and digest', async () => {
  const root = emptyRoot();
  const target = await writeImage(root);
  createRefs(storeLayout(root)).set(parseReference('app:1'), target);
  const { provider, resolve } = await openLayout(root);
  for (const name of ['app:1', 'docker.io/library/app:1', '1', target.digest, undefined])
    expect(await resolve(name)).toEqual(target);
  expect(await provider.has({ digest: target.digest })).toBe(true);
  await expect(resolve('app:2')).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'Choose from app:1' });
  await expect(openLayout(join(root, 'refs'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('processes that tag at the same time lose no name and find each at once', async () => {
  const root = emptyRoot();
  const target = await writeImage(root);
  const program = join(scratch, 'tag-many.mjs');
  buildSync({
    stdin: { contents: TAG_MANY, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  });
  const run = promisify(execFile);
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((prefix) => run(process.execPath, [program, root, prefix, JSON.stringify(target)])),
  );
  expect(readIndex(root)).toHaveLength(4 * 25);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('the lock of a process that was killed is taken over', async () => {
  const root = emptyRoot();
  const target = await writeImage(root);
  const lock = join(root, 'tmp/index.lock');
  writeFileSync(lock, '');
  createRefs(storeLayout(root)).set(parseReference('app:1'), target);
  expect(readIndex(root)).toHaveLength(1);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('skopeo reads the store', needs('skopeo'), async () => {
  const root = emptyRoot();
  createRefs(storeLayout(root)).set(parseReference('app:1'), await writeImage(root));
  createRefs(storeLayout(root)).set(parseReference('127.0.0.1:5000/team/app:1.2'), await writeImage(root));
  for (const name of ['app:1', '127.0.0.1:5000/team/app:1.2']) {
    expect(execFileSync('skopeo', ['inspect', '--raw', `oci:${root}:${name}`], { encoding: 'utf8' })).toContain(
      MediaType.config,
    );
  }
});

async function writeImage(root: string): Promise<Descriptor> {
  const store = createLocalStore(root);
  const layer = await store.write(fromBytes(Buffer.alloc(1024)));
  const { config, manifest } = encodeImage({
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Cmd: ['sh'] },
    layers: [{ descriptor: { mediaType: MediaType.layer, ...layer }, diffId: layer.digest }],
    history: [],
  });
  for (const { bytes, descriptor } of [config, manifest]) await store.write(fromBytes(bytes), descriptor);
  return manifest.descriptor;
}

function readIndex(root: string): unknown[] {
  return JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')).manifests;
}
