import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildContext, good, runTbuild, writeFiles, type InlineBuild } from '../../support/tbuild.ts';

const FILES = {
  Dockerfile: `FROM busybox AS build
COPY src /src
RUN cat /src/a > /out
FROM busybox
WORKDIR /w
COPY --from=build /out /out
COPY --link b /b
RUN --mount=type=bind,from=build,source=/src,target=/s --mount=type=cache,target=/c cat /s/a /out /b > /all
RUN cp /all /copy
`,
  'src/a': 'a\n',
  b: 'b\n',
};

function isRight(build: InlineBuild): void {
  const tree = build.tree();
  expect(tree.readText('/all')).toBe('a\na\nb\n');
  expect(tree.readText('/copy')).toBe('a\na\nb\n');
  expect(tree.readText('/out')).toBe('a\n');
  expect(tree.entries.has('/bin/busybox') || tree.entries.has('/bin/sh')).toBe(true);
}

/** Every file of the store below `directory`, at most `depth` directories down. */
function filesIn(directory: string, depth: number): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    // The store is still being synced after a build, so a file may be gone once it is listed.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isFile()) return [path];
    return stats?.isDirectory() && depth > 0 ? filesIn(path, depth - 1) : [];
  });
}

const halve = (path: string): void => truncateSync(path, Math.floor(lstatSync(path).size / 2));

function replaceByDirectory(path: string): void {
  rmSync(path);
  mkdirSync(join(path, 'inside'), { recursive: true });
}

const faults: readonly (readonly [name: string, directory: string, depth: number])[] = [
  ['records', 'records', 0],
  ['layer descriptions', 'layers', 0],
  ['digests', 'digests', 1],
  ['resolved names', 'resolved', 0],
  ['explanations', 'explain', 1],
  ['the index of the context', 'context-index', 0],
  ['stacks of trees', 'snapshots', 1],
  ['names of images', 'refs', 0],
  ['blobs', 'blobs/sha256', 0],
  ['compressed forms', 'variants', 1],
];

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ['empty', (path) => truncateSync(path, 0)],
  ['cut in half', halve],
  ['nonsense', (path) => writeFileSync(path, '\0\x01{"nonsense": true')],
  ['missing', (path) => rmSync(path)],
  ['directories', replaceByDirectory],
];

describe.each(faults)('a store whose %s are', (_name, directory, depth) => {
  test.each(damages)('%s still builds the right image', async (_how, damage) => {
    const store = scratchDirectory('store');
    const context = writeFiles(FILES);
    isRight(good(await buildContext(context, { store })));
    for (const path of filesIn(join(store, directory), depth)) damage(path);
    isRight(good(await buildContext(context, { store })));
    writeFileSync(join(context, 'b'), 'b\n\n');
    const changed = good(await buildContext(context, { store }));
    expect(changed.tree().readText('/all')).toBe('a\na\nb\n\n');
  });
});

test.each(['layers', 'digests', 'snapshots', 'variants'])(
  'a store whose files in %s have each the content of another one still builds the right image',
  async (directory) => {
    const store = scratchDirectory('store');
    const context = writeFiles(FILES);
    const output = join(scratchDirectory('archive'), 'image.tar');
    const build = () => buildContext(context, { store, args: ['-o', 'type=image', '-o', `type=oci,dest=${output}`] });
    isRight(good(await build()));
    const files = filesIn(join(store, directory), 1);
    const texts = files.map((path) => readFileSync(path));
    files.forEach((path, at) => writeFileSync(path, texts[(at + 1) % texts.length] ?? ''));
    isRight(good(await build()));
  },
);

const blobsOf = (path: string): string => join(path, '../../../blobs/sha256');
const variants: readonly (readonly [string, (path: string) => void])[] = [
  ...damages.map(([how, damage]) => [`whose descriptions are ${how}`, damage] as const),
  [
    'whose descriptions have another media type',
    (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('gzip', 'gzhp')),
  ],
  [
    'whose descriptions have another size',
    (path) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"size":/, '"size":1')),
  ],
  ...damages
    .filter(([how]) => how !== 'nonsense')
    .map(([how, damage]) => {
      const damageBlob = (path: string): void =>
        damage(join(blobsOf(path), JSON.parse(readFileSync(path, 'utf8')).digest.replace('sha256:', '')));
      return [`that are ${how}`, damageBlob] as const;
    }),
];

test.each(variants)('compressed layers %s are made again', async (_how, damage) => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  const archive = join(scratchDirectory('archive'), 'image.tar');
  const build = async (): Promise<Buffer> => {
    good(await buildContext(context, { store, args: ['-t', 'app:1', '-o', `type=oci,dest=${archive}`] }));
    return readFileSync(archive);
  };
  const first = await build();
  const notes = filesIn(join(store, 'variants'), 1);
  expect(notes).not.toEqual([]);
  for (const note of notes) damage(note);
  expect((await build()).equals(first)).toBe(true);
});

test('trees whose files are gone are made again', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  isRight(good(await buildContext(context, { store })));
  for (const name of readdirSync(join(store, 'snapshots')))
    rmSync(join(store, 'snapshots', name, 'fs'), { recursive: true, force: true });
  writeFileSync(join(context, 'src/a'), 'a\n');
  const build = good(await buildContext(context, { store, args: ['--no-cache-filter', 'build'] }));
  expect(build.tree().readText('/out')).toBe('a\n');
  isRight(build);
});

test('a disk that fails when the build has ended does not fail it', needs('root', 'strace'), async () => {
  const [store, log] = [scratchDirectory('store'), join(scratchDirectory('trace'), 'log')];
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const failing = ['-f', '-qq', '-o', log, '-P', store, '-e', 'inject=statfs:error=EIO'];
  const build = [program, 'build', '--root', store, '-t', 'app:1', context];
  await runChecked('strace', [...failing, ...build], { env: { HOME: scratchDirectory('home') } });
  expect(readFileSync(log, 'utf8')).toContain('(INJECTED)');
  expect(good(await runTbuild(['images', '--quiet'], { store })).stdout).not.toBe('');
});

test('a file that a failing disk does not close ends a command with an error', needs('root', 'strace'), async () => {
  const [store, log] = [scratchDirectory('store'), join(scratchDirectory('trace'), 'log')];
  good(
    await runTbuild(['build', '-t', 'app:1', writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })], {
      store,
    }),
  );
  const [name = ''] = readdirSync(join(store, 'refs'));
  const failing = ['-f', '-qq', '-o', log, '-P', join(store, 'refs', name), '-e', 'inject=close:error=EIO'];
  const { exitCode, stderr } = await runProcess('strace', [...failing, program, 'images', '--root', store], {
    env: { HOME: scratchDirectory('home') },
  });
  expect(stderr).toContain('ERROR: Cannot close: i/o error');
  expect(exitCode).toBe(1);
});

const parts = [
  'records',
  'layers',
  'digests',
  'snapshots',
  'blobs',
  'refs',
  'context-index',
  'cache-mounts',
  'explain',
  'leases',
  'tmp',
  'trash',
  'run',
  'index.json',
  'variants',
];

test.each(parts)('a store without %s builds', async (directory) => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  good(await buildContext(context, { store }));
  rmSync(join(store, directory), { recursive: true, force: true });
  isRight(good(await buildContext(context, { store })));
});

describe('a base image from a registry', needs('registry'), () => {
  test.each(damages)('whose blobs and documents are %s in the store is fetched again', async (_how, damage) => {
    const base = await pushBaseImage('busybox', await sharedService('registry'));
    const store = scratchDirectory('store');
    const context = writeFiles({ Dockerfile: `FROM ${base}\nRUN echo 1 > /one\n` });
    good(await buildContext(context, { store, images: [] }));
    // Remove the names: this test is not about incomplete named images.
    for (const name of ['refs', 'index.json']) rmSync(join(store, name), { recursive: true });
    for (const path of [...filesIn(join(store, 'blobs/sha256'), 0), ...filesIn(join(store, 'resolved'), 0)])
      damage(path);
    const build = good(await buildContext(context, { store, images: [], args: ['--no-cache'] }));
    expect(build.tree().readText('/one')).toBe('1\n');
  });
});
