import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { readNote, writeNote } from '@tbuild/store';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runStoppedAt } from '../../support/stopped-at.ts';
import { buildGood, good, runTbuild } from '../../support/tbuild.ts';

const FILES = {
  Dockerfile: `FROM busybox AS base
RUN echo one > /one && ln -s one /link && rm /etc/passwd
WORKDIR /w
COPY . /all
FROM base
COPY --link a /linked/a
RUN --mount=type=cache,target=/c rm -r /all/d && mkdir /all/d && mknod /fifo p
`,
  a: 'a\n',
  'd/b': 'b\n',
};

async function filledStore(): Promise<string> {
  const store = scratchDirectory('store');
  await buildGood(FILES, { store, args: ['-o', `type=oci,dest=${join(scratchDirectory('archive'), 'image.tar')}`] });
  await buildGood(FILES, { store });
  return store;
}

test('fsck finds nothing in a sound store', async () => {
  const store = await filledStore();
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
});

/** Damages a compressed layer, a record, a description and a tree of a store. */
function damage(store: string) {
  const [record = ''] = readdirSync(join(store, 'records'));
  writeFileSync(join(store, 'records', record), '{');
  const [layer = ''] = readdirSync(join(store, 'variants'));
  const [variant = ''] = readdirSync(join(store, 'variants', layer));
  const { digest: blob } = JSON.parse(readFileSync(join(store, 'variants', layer, variant), 'utf8'));
  appendFileSync(join(store, 'blobs/sha256', blob.slice('sha256:'.length)), ' ');
  writeFileSync(join(store, 'variants', layer, 'gzip'), '{');
  return { blob, record, layer, tree: damageTree(store) };
}

function damageTree(store: string): string {
  const trees = readdirSync(join(store, 'snapshots')).filter((name) => !name.startsWith('.'));
  const tree = trees.find((name) => readdirSync(join(store, 'snapshots', name)).includes('fs') && hasFile(store, name));
  writeFileSync(join(store, 'snapshots', tree ?? '', 'fs/one'), 'two\n');
  return tree ?? '';
}

test('fsck names a damaged blob, record, layer description and tree', async () => {
  const store = await filledStore();
  const { blob, record, layer, tree } = damage(store);
  const { exitCode, stdout, stderr } = await runTbuild(['fsck', '--full'], { store });
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`Blob ${blob} has bytes with the digest`);
  expect(stdout).toContain(`Record sha256:${record} cannot be read`);
  expect(stdout).toContain(`The description of the gzip form of layer sha256:${layer} cannot be read`);
  expect(stdout).toContain(`Tree ${tree} was changed`);
  expect(stdout.trim().split('\n')).toHaveLength(4);
  expect(stderr).toContain(`The store "${store}" has 4 damaged entries`);
});

test('fsck --repair removes damaged entries and their dependents, and the next build makes them again', async () => {
  const store = await filledStore();
  const { tree } = damage(store);
  const repaired = await runTbuild(['fsck', '--full', '--repair'], { store });
  expect(repaired).toMatchObject({ exitCode: 0, stderr: '' });
  expect(repaired.stdout).toMatch(/\nRemoved 3 damaged files and [2-9] steps and trees \(\S+B\)\n$/);
  expect(existsSync(join(store, 'snapshots', tree))).toBe(false);
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
  const build = await buildGood(FILES, { store });
  expect(build.tree().readText('/one')).toBe('one\n');
});

test('fsck --repair leaves a tree that a running build may use until the build has ended', async () => {
  const store = await filledStore();
  const tree = damageTree(store);
  const building = buildGood(
    { ...FILES, Dockerfile: `${FILES.Dockerfile}RUN sleep 5\n` },
    { store, args: ['--progress', 'plain'] },
  );
  const active = join(store, 'snapshots/.active');
  await eventually(() => readdirSync(active).length > 0);
  const beside = await runTbuild(['fsck', '--full', '--repair'], { store });
  expect(beside.exitCode).toBe(1);
  expect(beside.stderr).toContain('may be in use by a running build');
  expect(existsSync(join(store, 'snapshots', tree))).toBe(true);
  await building;
  expect(await runTbuild(['fsck', '--full', '--repair'], { store })).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(store, 'snapshots', tree))).toBe(false);
});

test('fsck names an image that lacks a blob, which only another build can repair', async () => {
  const store = await filledStore();
  const build = await buildGood(FILES, { store, args: ['-t', 'app:1'] });
  rmSync(join(store, 'blobs/sha256', build.id().slice('sha256:'.length)));
  const checked = await runTbuild(['fsck', '--repair'], { store });
  expect(checked).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(`Image "app:1" lacks blob ${build.id()}\n`),
  });
  expect(checked.stderr).toContain('Build or pull the image again');
  await buildGood(FILES, { store, args: ['-t', 'app:1'] });
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0 });
});

/** Changes the first byte of the first file below a directory of a store, or of that file. Returns its name. */
function changeFirst(store: string, place: string): string {
  const path = join(store, place);
  const names = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted() : [];
  const file = names.map((name) => join(path, name)).find((each) => statSync(each).isFile()) ?? path;
  const bytes = readFileSync(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  return basename(file);
}

test('fsck finds damaged image names, indexes, notes and build records without --full, also as JSON', async () => {
  const store = await filledStore();
  await buildGood(FILES, { store, args: ['-t', 'app:1', '-t', 'app:2'] });
  const name = join(store, 'refs/docker.io+library+app=2');
  writeFileSync(name, readFileSync(join(store, 'refs/docker.io+library+app=1')));
  const changed = ['layers', 'context-index', 'index.json', 'builds'].map((place) => changeFirst(store, place));
  const { exitCode, stdout } = await runTbuild(['fsck', '--format', 'json'], { store });
  const damages = stdout
    .trim()
    .split('\n')
    .map((line): { kind: string; path?: string } => JSON.parse(line));
  expect(exitCode).toBe(1);
  expect(damages.filter(({ kind }) => kind === 'index')).toHaveLength(1);
  expect(damages.flatMap(({ path = '' }) => path).map((path) => basename(path))).toEqual(
    expect.arrayContaining([basename(name), changed[0], changed[1]]),
  );
  expect(damages).toHaveLength(5);
  const repaired = await runTbuild(['fsck', '--repair'], { store });
  expect(repaired).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('\nRemoved 5 damaged files') });
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
});

test('fsck lists an image whose command was killed after it had given the name', async () => {
  const { store } = await buildGood(FILES, { args: ['-t', 'app:1'] });
  const index = join(store, 'index.json');
  const listed = readFileSync(index, 'utf8');
  writeFileSync(index, '{}');
  utimesSync(index, 1, 1);
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
  expect(readFileSync(index, 'utf8')).toBe(listed);
});

test('fsck compares the size of a large blob, and reads its content with --full', async () => {
  const store = scratchDirectory('store');
  const build = await buildGood({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a'.repeat(3 << 20) }, { store });
  const { digest = '' } = build.image().manifest.layers[0] ?? {};
  const blob = join(store, 'blobs/sha256', digest.replace('sha256:', ''));
  changeFirst(blob, '.');
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0 });
  expect((await runTbuild(['fsck', '--full'], { store })).stdout).toContain(`Blob ${digest} has bytes with the digest`);
  appendFileSync(blob, 'a');
  expect((await runTbuild(['fsck'], { store })).stdout).toContain(`Blob ${digest} has bytes with the digest`);
});

test('fsck takes no blob for damaged because a note names another size', async () => {
  const store = scratchDirectory('store');
  await buildGood({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a'.repeat(3 << 20) }, { store });
  for (const name of readdirSync(join(store, 'layers'))) {
    const file = join(store, 'layers', name);
    const { descriptor, ...note } = readNote(file) ?? {};
    writeNote(file, { ...note, descriptor: { ...Object(descriptor), size: 1 } });
  }
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
});

describe('fsck', needs('root', 'strace'), () => {
  test('takes no tree for damaged that a prune removes before it looks at it', async () => {
    const store = scratchDirectory('store');
    await buildGood(FILES, { store, args: ['-o', 'type=cacheonly'] });
    const stop = { call: 'getdents64', path: join(store, 'snapshots'), store };
    const { exitCode, stdout } = await runStoppedAt(stop, ['fsck'], async () => {
      good(await runTbuild(['prune', '--all', '--force'], { store }));
      expect(readdirSync(join(store, 'snapshots')).filter((name) => !name.startsWith('.'))).toEqual([]);
    });
    expect([exitCode, stdout]).toEqual([0, 'The store is sound\n']);
  });

  test('takes no tree for damaged whose links a build takes over meanwhile', async () => {
    const store = scratchDirectory('store');
    const Dockerfile = 'FROM busybox\nRUN echo 1 > /1\nRUN echo 2 > /2\n';
    await buildGood({ Dockerfile }, { store });
    const [links = ''] = readdirSync(join(store, 'snapshots'))
      .map((name) => join(store, 'snapshots', name, 'l'))
      .filter((path) => existsSync(path) && readdirSync(path).length > 0);
    const stop = { call: 'getdents64', path: links, store };
    const { exitCode, stdout } = await runStoppedAt(stop, ['fsck'], async () => {
      await buildGood({ Dockerfile: `${Dockerfile}RUN echo 3 > /3\n` }, { store });
      expect(existsSync(links)).toBe(false);
    });
    expect([exitCode, stdout]).toEqual([0, 'The store is sound\n']);
  });
});

function hasFile(store: string, name: string): boolean {
  return readdirSync(join(store, 'snapshots', name, 'fs')).includes('one');
}
