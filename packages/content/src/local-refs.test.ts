import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf, encodeImage, formatReference, MediaType, parseReference, type Descriptor } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { buildSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { createLocalStore, createRefs, fromBytes, isIndexCurrent, openLayout, writeIndex } from './index.ts';

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
const [, , root, prefix, target, isAlone] = process.argv;
for (let index = 0; index < 25; index += 1) {
  createRefs(storeLayout(root)).set([{ reference: parseReference(prefix + index), target: JSON.parse(target) }]);
  if (isAlone && !readFileSync(root + '/index.json', 'utf8').includes('"' + prefix + index + ':latest"')) throw new Error('not in the index');
}
`;

test('names are kept one by one, found and removed', async () => {
  const root = emptyRoot();
  const refs = createRefs(storeLayout(root));
  expect(refs.list()).toEqual([]);
  const target = await writeImage(root);
  for (const name of names) refs.set([{ reference: parseReference(name), target }]);
  expect(
    refs
      .list()
      .map(({ reference }) => formatReference(reference))
      .sort(),
  ).toEqual(names.map((name) => formatReference(parseReference(name))).sort());
  expect(refs.list().map((ref) => ref.target)).toEqual(names.map(() => target));
  expect(refs.get(parseReference('docker.io/library/app:1'))).toEqual(target);
  expect(refs.get(parseReference('app:2'))).toBeUndefined();
  expect(refs.remove([parseReference('app:1'), parseReference('app:3')])).toEqual([parseReference('app:1')]);
  expect(refs.remove([parseReference('app:1')])).toEqual([]);
  expect(refs.get(parseReference('app:1'))).toBeUndefined();
  expect(readIndex(root)).toHaveLength(names.length - 1);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('index.json has the name that the user typed and the full name', async () => {
  const root = emptyRoot();
  const target = { ...(await writeImage(root)), annotations: { own: 'kept' } };
  createRefs(storeLayout(root)).set([{ reference: parseReference('app:1'), target }]);
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
  createRefs(storeLayout(root)).set([{ reference: parseReference('app:1'), target }]);
  const { provider, resolve } = await openLayout(root);
  for (const name of ['app:1', 'docker.io/library/app:1', '1', target.digest, undefined])
    expect(await resolve(name)).toEqual(target);
  expect(await provider.has({ digest: target.digest })).toBe(true);
  await expect(resolve('app:2')).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'Choose from app:1' });
  await expect(openLayout(join(root, 'refs'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('processes that tag at the same time lose no name and find each at once', async () => {
  const root = emptyRoot();
  await tagMany(root, ['a', 'b', 'c', 'd'], 'checked');
  expect(readIndex(root)).toHaveLength(4 * 25);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('the index has every name in the end where processes lose the lock all the time', async () => {
  const root = emptyRoot();
  const steal = setInterval(() => rmSync(join(root, 'tmp/index.lock'), { force: true }), 10);
  await tagMany(root, ['a', 'b', 'c', 'd']);
  clearInterval(steal);
  expect(readIndex(root)).toHaveLength(4 * 25);
  expect(isIndexCurrent(storeLayout(root))).toBe(true);
});

test('the index is that of the names after any change, and is written again when it may not be', async () => {
  const store = storeLayout(emptyRoot());
  const index = join(store.root, 'index.json');
  const refs = createRefs(store);
  const imageOf = (text: string) => ({ mediaType: MediaType.manifest, digest: digestOf(text), size: 1 });
  const name = (text: string) => ({ reference: parseReference(text), target: imageOf(text) });
  const whole = (): string => {
    const text = readFileSync(index, 'utf8');
    writeIndex(store);
    expect(readFileSync(index, 'utf8')).toBe(text);
    return text;
  };
  refs.set(['a', 'b', 'c'].map(name));
  whole();
  for (const text of ['a', 'd', 'e', 'f']) refs.keep(imageOf(text));
  expect(
    refs
      .unnamed()
      .map(({ target }) => target.digest)
      .toSorted(),
  ).toEqual(['d', 'e', 'f'].map(digestOf).toSorted());
  whole();
  refs.set([name('d'), { ...name('a'), target: imageOf('b') }]);
  whole();
  expect(refs.drop([digestOf('d'), digestOf('e')])).toEqual([digestOf('e')]);
  const last = whole();
  const [a, b] = [join(store.refs, 'docker.io+library+a=latest'), join(store.refs, 'docker.io+library+b=latest')];
  // Processes that were killed after they had removed or written a name, in the moment in which the index had been written.
  for (const [from, to] of [
    [b, join(store.root, 'other')],
    [join(store.root, 'other'), b],
  ] as const) {
    utimesSync(index, 0, 0);
    renameSync(from, to);
    refs.keep(imageOf(basename(from)));
    whole();
  }
  refs.drop([digestOf('other'), digestOf(basename(b))]);
  expect(whole()).toBe(last);
  writeFileSync(b, readFileSync(a));
  expect(refs.remove([parseReference('b')])).toHaveLength(1);
  whole();
  refs.set([name('b')]);
  writeFileSync(b, '');
  refs.set([name('b')]);
  expect(whole()).toBe(last);
  for (const damage of ['', '{}', last.slice(0, -9), last.replace('latest', 'lat_st'), last.replaceAll('\n', '')]) {
    writeFileSync(index, damage);
    refs.set([name('b')]);
    expect(readFileSync(index, 'utf8')).toBe(last);
  }
});

test('the lock of a process that was killed is taken over', async () => {
  const root = emptyRoot();
  const target = await writeImage(root);
  const lock = join(root, 'tmp/index.lock');
  writeFileSync(lock, '');
  createRefs(storeLayout(root)).set([{ reference: parseReference('app:1'), target }]);
  expect(readIndex(root)).toHaveLength(1);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('skopeo reads the store', needs('skopeo'), async () => {
  const root = emptyRoot();
  createRefs(storeLayout(root)).set([{ reference: parseReference('app:1'), target: await writeImage(root) }]);
  createRefs(storeLayout(root)).set([
    { reference: parseReference('127.0.0.1:5000/team/app:1.2'), target: await writeImage(root) },
  ]);
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

async function tagMany(root: string, prefixes: readonly string[], ...args: readonly string[]): Promise<void> {
  const target = JSON.stringify(await writeImage(root));
  const program = join(scratch, 'tag-many.mjs');
  buildSync({
    stdin: { contents: TAG_MANY, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  });
  const run = promisify(execFile);
  await Promise.all(prefixes.map((prefix) => run(process.execPath, [program, root, prefix, target, ...args])));
}

function readIndex(root: string): unknown[] {
  return JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')).manifests;
}
