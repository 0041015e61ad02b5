import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import { ranIn } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, writeFiles } from '../../support/tbuild.ts';

// A subprocess writes the layer of a large copy while its tree is made.

/** The number of files that makes a copy large. */
function largeContext(dockerfile: string): string {
  const files = Array.from({ length: 1200 }, (_, n) => [`files/${n % 7}/${n}`, `${n}`.repeat(n % 50)]);
  const context = writeFiles({
    Dockerfile: dockerfile,
    'files/empty/': '',
    'files/run': '#!',
    ...Object.fromEntries(files),
  });
  symlinkSync('../run', join(context, 'files/0/link'));
  return context;
}

const store = (): string => scratchDirectory('store');
const layerOf = (build: Awaited<ReturnType<typeof buildContext>>, at: number) => build.image().manifest.layers.at(at);
const unfinished = (root: string): string[] => readdirSync(join(root, 'tmp'));
const blobSizes = (root: string): number[] =>
  readdirSync(join(root, 'blobs/sha256')).map((name) => statSync(join(root, 'blobs/sha256', name)).size);
/** Changes a byte of a text in a file. */
function overwrite(path: string, text: string): void {
  const bytes = readFileSync(path);
  const place = bytes.indexOf(text);
  expect(place).toBeGreaterThan(0);
  bytes[place] = 0;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}

function overwriteAt(path: string, place: number): void {
  chmodSync(path, 0o644);
  const file = openSync(path, 'r+');
  writeSync(file, 'damaged', place);
  closeSync(file);
}

const copied = 'FROM busybox\nWORKDIR /srv\nCOPY --chown=7:8 --chmod=u+s files /srv/\n';

test('a large copy gives the same layer on one processor, and as the topmost layer of an image', async () => {
  const context = largeContext(`${copied}RUN ls /srv > /list\n`);
  const layers = [];
  for (const options of [{ oneCore: false }, { oneCore: true }]) {
    const build = good(await buildContext(context, { store: store(), ...options }));
    layers.push(build.image().manifest.layers.at(-2));
    expect(unfinished(build.store)).toEqual([]);
    expect(build.tree().entries.get('/srv/0/link')).toMatchObject({ type: 'symlink', uid: 7, gid: 8 });
  }
  const topmost = good(await buildContext(writeFiles({ Dockerfile: copied }, context), { store: store() }));
  layers.push(topmost.image().manifest.layers.at(-1));
  expect(layers).toEqual([layers[0], layers[0], layers[0]]);
});

// The write starts while the files are still being hashed, unless the same copy ran before.

test('the layer write of a large copy is aborted when another instruction already made the same copy', async () => {
  const own = store();
  const layers = (): number[] => blobSizes(own).filter((size) => size > 100_000);
  const context = largeContext('FROM busybox\nCOPY files /srv/\n');
  good(await buildContext(context, { store: own }));
  const before = layers();
  // Times are not in the key, but in the layer. Only this file is read again, while the layer takes a second.
  utimesSync(join(context, 'files/run'), 1, 1);
  writeFiles({ Dockerfile: 'FROM busybox\nCOPY file[s] /srv/\nRUN sleep 1\n' }, context);
  const second = good(await buildContext(context, { store: own }));
  expect(ranIn(second.stderr)).toEqual([expect.stringContaining('RUN sleep 1')]);
  expect(layers()).toEqual(before);
  expect(unfinished(own)).toEqual([]);
  expect(readdirSync(join(own, 'snapshots/.active'))).toEqual([]);
});

// Unchanged files come from the previous layer.

describe.each([
  ['below a RUN', `${copied}RUN ls /srv > /list\n`, -2],
  ['topmost', copied, -1],
])('again with a few files changed, %s', (_, dockerfile, at) => {
  test.each([
    ['', () => {}],
    [', with the earlier layer damaged', (path: string) => overwrite(path, '1049'.repeat(49))],
  ])('is the layer that it is for who sees it for the first time%s', async (_, damage) => {
    const context = largeContext(dockerfile);
    const again = store();
    const before = layerOf(good(await buildContext(context, { store: again })), at);
    damage(join(again, 'blobs', String(before?.digest).replace(':', '/')));
    writeFiles({ 'files/0/0': 'other', 'files/6/1000': '', 'files/3/new': 'new' }, context);
    rmSync(join(context, 'files/2/1157'));
    const second = good(await buildContext(context, { store: again }));
    const fresh = good(await buildContext(context, { store: store() }));
    expect(layerOf(second, at)).toEqual(layerOf(fresh, at));
    expect(layerOf(second, at)).not.toEqual(before);
    expect(unfinished(again)).toEqual([]);
  });
});

test.each([
  ['below a RUN', `${copied}RUN ls /srv > /list\n`],
  ['topmost', copied],
])('believes its note of the last time, %s: what that calls unchanged is not read again', async (_, dockerfile) => {
  const context = largeContext(dockerfile);
  const again = store();
  good(await buildContext(context, { store: again }));
  writeFiles({ 'files/0/1400': '1400', 'files/1/1198': '1198'.repeat(48).replaceAll('1', 'x') }, context);
  const [note = ''] = readdirSync(join(again, 'copies'));
  const words = readFileSync(join(again, 'copies', note), 'utf8').split('\0');
  words[words.indexOf('files/1/1198') + 1] = digestOf(readFileSync(join(context, 'files/1/1198')));
  writeFileSync(join(again, 'copies', note), words.join('\0'));
  const layer = good(await buildContext(context, { store: again })).tree();
  expect(layer.readText('/srv/1/1198')).toBe('1198'.repeat(48));
  expect(layer.readText('/srv/0/1400')).toBe('1400');
});

test('a large copy with hard links is packed from its tree', async () => {
  const context = largeContext('FROM busybox\nCOPY files /srv/\nRUN ls -l /srv/6/1000 > /list\n');
  linkSync(join(context, 'files/6/1000'), join(context, 'files/0/again'));
  const build = good(await buildContext(context, { store: store() }));
  expect(unfinished(build.store)).toEqual([]);
  expect(build.tree().entries.get('/srv/6/1000')).toMatchObject({ linkTo: '/srv/0/again' });
});

/** Returns the compressed layers. */
const compressedIn = (root: string): string[] =>
  readdirSync(join(root, 'variants'), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('/gzip'));

test('a layer that is compressed as it is written equals the one from one processor', async () => {
  const context = largeContext(copied);
  const digests = [];
  for (const oneCore of [false, true]) {
    const archive = join(scratchDirectory('archive'), 'image.tar');
    const options = {
      store: store(),
      oneCore,
      env: { SOURCE_DATE_EPOCH: '1' },
      args: ['-t', 'a', '-o', `type=oci,dest=${archive}`],
    };
    const build = good(await buildContext(context, options));
    digests.push(digestOf(readFileSync(archive)));
    expect([compressedIn(build.store).length, unfinished(build.store)]).toEqual([2, []]);
  }
  expect(digests[0]).toBe(digests[1]);
});

// Layers of large files that are compressed as they are written are kept compressed only.

describe('large files, for an output that compresses them', () => {
  const dockerfile = 'FROM busybox\nCOPY --chown=7:8 data /data\n';
  const env = { SOURCE_DATE_EPOCH: '1' };
  const largeFiles = (): string => {
    const context = writeFiles({ Dockerfile: dockerfile, 'data/small': 'small' });
    writeFileSync(join(context, 'data/dense'), randomBytes(9_000_000));
    writeFileSync(join(context, 'data/text'), 'text '.repeat(3_000_000));
    return context;
  };
  const archived = async (context: string, compression: string, options: { store: string; oneCore?: boolean }) => {
    const archive = join(scratchDirectory('archive'), 'image.tar');
    const args = ['-t', 'a', '-o', `type=oci,dest=${archive},compression=${compression}`];
    const build = good(await buildContext(context, { ...options, env, args }));
    expect(unfinished(build.store)).toEqual([]);
    return { ran: ranIn(build.stderr).length, digest: digestOf(readFileSync(archive)) };
  };
  /** Returns the sizes of the blobs that hold the files. */
  const largeBlobs = (root: string): number[] => blobSizes(root).filter((size) => size > 9_000_000);

  test('are kept compressed only, and give every other form as an empty store does', async () => {
    const context = largeFiles();
    const own = store();
    const first = await archived(context, 'gzip', { store: own });
    expect(first).toEqual(await archived(context, 'gzip', { store: store(), oneCore: true }));
    expect(largeBlobs(own)).toEqual([expect.toSatisfy((size: number) => size < 10_000_000)]);
    expect(await archived(context, 'gzip', { store: own })).toEqual({ ...first, ran: 0 });

    const uncompressed = await archived(context, 'uncompressed', { store: own });
    const fresh = await archived(context, 'uncompressed', { store: store() });
    expect(uncompressed).toEqual({ ...fresh, ran: 0 });
    expect(largeBlobs(own).length).toBe(2);
  });

  test.each([
    ['', () => {}, 0],
    [
      ', and are copied again when that is damaged',
      (root: string) => {
        for (const name of readdirSync(join(root, 'blobs/sha256'))) {
          const path = join(root, 'blobs/sha256', name);
          if (statSync(path).size > 9_000_000) overwriteAt(path, 5_000_000);
        }
      },
      1,
    ],
  ])('have a tree once a step stands on them%s', async (_, damage, copies) => {
    const context = largeFiles();
    const own = store();
    await archived(context, 'gzip', { store: own });
    damage(own);
    writeFiles({ Dockerfile: `${dockerfile}RUN sha256sum /data/* > /sums; ls -ln /data > /list\n` }, context);
    const build = good(await buildContext(context, { store: own, env }));
    expect(ranIn(build.stderr).filter((name) => name.includes('COPY')).length).toBe(copies);
    for (const name of ['dense', 'small', 'text'])
      expect(build.tree().readText('/sums')).toContain(
        `${digestOf(readFileSync(join(context, 'data', name))).slice('sha256:'.length)}  /data/${name}`,
      );
    expect(build.tree().readText('/list')).toMatch(/7 +8 +9000000 .* dense/);
  });
});

test('a large copy is compressed while later steps run, and stays cached when one fails', async () => {
  const context = largeContext('FROM busybox\nCOPY files /srv/\nRUN sleep 3; false\n');
  const args = ['-o', `type=oci,dest=${join(scratchDirectory('archive'), 'image.tar')}`];
  const build = await buildContext(context, { store: store(), args });
  expect([build.exitCode, compressedIn(build.store).length, unfinished(build.store)]).toEqual([1, 1, []]);
});

test('a step that fails while a large layer is written leaves nothing unfinished', async () => {
  const context = largeContext('FROM busybox\nCOPY files /srv/\nRUN false\n');
  // Holes take no space in the tree, but every byte in the layer.
  truncateSync(join(context, 'files/run'), 2 ** 29);
  const build = await buildContext(context, { store: store() });
  expect([build.exitCode, unfinished(build.store)]).toEqual([1, []]);
});
