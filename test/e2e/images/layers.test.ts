import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { readLayer } from '../../support/layout.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { readTar } from '../../support/tar-archive.ts';
import { buildContext, buildGood, good, userDirectory, writeFiles, type InlineBuild } from '../../support/tbuild.ts';

const namesInLayer = (build: InlineBuild, index: number) => {
  const { layout, manifest } = build.image();
  return [...readTar(readLayer(layout, manifest.layers.at(index)!))].map(({ name }) => name);
};

describe.each(builders)('a layer by $who', ({ asUser }) => {
  test('holds the changes of the step, sorted, below their parent directories', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN mkdir -p /z /a/b && touch /a/b/c /z/y && touch /etc/new\n' },
      { asUser },
    );
    expect(namesInLayer(build, -1)).toEqual(['a/', 'a/b/', 'a/b/c', 'etc/', 'etc/new', 'proc/', 'sys/', 'z/', 'z/y']);
  });

  test('holds a whiteout for each deleted file', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN true\nRUN rm -r /var/spool /etc/shadow\n' },
      { asUser },
    );
    expect(namesInLayer(build, -1)).toEqual(['etc/', 'etc/.wh.shadow', 'var/', 'var/.wh.spool']);
  });

  test('hides the content of a replaced directory', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN rm -rf /var && mkdir /var && echo only > /var/only\nRUN ls -A /var > /list\n' },
      { asUser },
    );
    expect([...build.tree().entries.keys()].filter((path) => path.startsWith('/var/'))).toEqual(['/var/only']);
  });

  test('is empty for a step that changes nothing, but still part of the image', async () => {
    const build = await buildGood({ Dockerfile: 'FROM busybox\nRUN true\nRUN true\nRUN echo x > /x\n' }, { asUser });
    expect(namesInLayer(build, -2)).toEqual([]);
    expect(build.image().manifest.layers).toHaveLength(4);
  });
});

test.each(builders)(
  'a COPY without dependents makes a layer and no tree, and later builds find it, by $who',
  async ({ asUser }) => {
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    const trees = (): number => readdirSync(join(store, 'snapshots')).length;
    const files = { 'files/a/x': 'x', 'files/b': '#!b', 'files/c': 'c' };
    const copy = 'FROM busybox\nCOPY --chown=3:4 files /files\n';
    const alone = await buildGood({ ...files, Dockerfile: copy }, { asUser, store });
    const before = trees();
    expect(namesInLayer(alone, -1)).toEqual(['files/', 'files/a/', 'files/a/x', 'files/b', 'files/c']);
    writeFiles({ Dockerfile: `${copy}RUN ls -lRn /files > /list\n` }, alone.context);
    const run = good(await buildContext(alone.context, { asUser, store }));
    expect(run.stderr).toMatch(/\[2\/3\] COPY --chown=3:4 files \/files\n(?:#4 extracting .*\n)*#4 CACHED/);
    expect(run.image().manifest.layers[1]).toEqual(alone.image().manifest.layers[1]);
    expect(run.tree().readText('/list')).toMatch(/-rwxr-xr-x +1 3 +4 +3 .* b\n-rw-r--r-- +1 3 +4 +1 .* c\n/);
    expect(trees()).toBe(before + 2);
  },
);

test('a copied file keeps its time, to the second', async () => {
  const context = await buildGood({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: 'f' });
  utimesSync(join(context.context, 'f'), 1e9, 1e9);
  const fresh = good(await buildContext(context.context, { store: scratchDirectory('store') }));
  expect(Math.floor(fresh.tree().mtime('/f'))).toBe(1e9);
});

test('a hundred and fifty steps fit into the mount options', async () => {
  const steps = Array.from({ length: 150 }, (_, index) => `COPY f /many/${index}`);
  const build = await buildGood({
    Dockerfile: `FROM busybox\n${steps.join('\n')}\nRUN ls /many | wc -l > /count\n`,
    f: 'f',
  });
  expect(build.tree().readText('/count').trim()).toBe('150');
});

test('file names that are long or contain blanks, newlines or non-ASCII bytes are preserved', async () => {
  const long = `${'d'.repeat(200)}/${'f'.repeat(250)}`;
  const build = await buildGood({
    Dockerfile: `FROM busybox\nRUN mkdir -p /o/${'d'.repeat(200)} && cd /o && touch ${long} "a b" "$(printf 'new\\nline')" ü && ln -s ${'t'.repeat(300)} l\n`,
  });
  const names = [...build.tree().entries.keys()].filter((path) => path.startsWith('/o/'));
  expect(names).toEqual(['/o/a b', `/o/${'d'.repeat(200)}`, `/o/${long}`, '/o/l', '/o/new\nline', '/o/ü']);
});
