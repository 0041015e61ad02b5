import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultId } from '@tbuild/graph';
import { digestOf, hexOf } from '@tbuild/oci';
import { createOverlaySnapshotter, createTreeWriter } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { originOf } from './part-origin.ts';

const root = mkdtempSync(join(tmpdir(), 'part-origin-'));
afterAll(() => rmSync(root, { recursive: true }));

const flavour = 'user';
const snapshots = createOverlaySnapshotter({ store: storeLayout(root), flavour });
const idOf = (name: string) => resultId(digestOf(name));
const nameOf = (name: string) => hexOf(idOf(name));

async function snapshot(result: ReturnType<typeof idOf>) {
  const found = await snapshots.stat(hexOf(result));
  if (found === undefined) throw new Error('There is no such tree');
  return found;
}

async function make(name: string, below: string | undefined, change: (upper: string) => void): Promise<void> {
  await using active = await snapshots.prepare(below && nameOf(below));
  change(active.upper);
  await active.commit(nameOf(name));
}

const FLAT = { mode: 0o755, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtimeMs: 0 };

/** The tree `top` stands on `middle`, which stands on `first`. */
beforeAll(async () => {
  await make('first', undefined, (upper) => {
    for (const path of ['app/packages', 'app/gone', 'app/hidden/deep'])
      mkdirSync(join(upper, path), { recursive: true });
    for (const path of ['app/packages/a', 'app/gone/a', 'app/hidden/deep/a', 'file'])
      writeFileSync(join(upper, path), '');
    symlinkSync('app', join(upper, 'link'));
  });
  await make('middle', 'first', (upper) => {
    mkdirSync(join(upper, 'app/src'), { recursive: true });
    writeFileSync(join(upper, 'app/src/a'), '');
  });
  await using active = await snapshots.prepare(nameOf('middle'));
  const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
  writer.ensureDirectory('app/dist', FLAT);
  writer.remove('app/gone/a');
  writer.opaque('app/hidden');
  writer.finish();
  await active.commit(nameOf('top'));
});

test.each<[what: string, sources: string[], origin: string]>([
  ['a directory that no later layer has', ['app/packages'], 'first'],
  ['a file', ['file'], 'first'],
  ['a directory of the layer in between', ['app/src'], 'middle'],
  ['several paths, by the latest of them', ['app/packages', 'app/src/a'], 'middle'],
  ['a directory that the top layer made', ['app/dist'], 'top'],
  ['a directory in which the top layer removed something', ['app/gone'], 'top'],
  ['a directory below one that the top layer hid', ['app/hidden'], 'top'],
  ['a parent of what the top layer made', ['app'], 'top'],
  ['the root', [''], 'top'],
  ['a path through a link', ['link/packages'], 'top'],
  ['a pattern', ['app/pack*'], 'top'],
  ['a path that does not exist', ['app/nothing'], 'top'],
])('The origin of %s is the layer that changed it last', async (_, sources, origin) => {
  const found = await originOf(idOf('top'), { sources }, { results: { snapshot }, snapshots, flavour });
  expect(found).toBe(idOf(origin));
});

test('With --parents, whose directories count too, the origin is the tree itself', async () => {
  const options = { sources: ['app/packages'], parents: true };
  expect(await originOf(idOf('top'), options, { results: { snapshot }, snapshots, flavour })).toBe(idOf('top'));
});

test('The origin in a composed tree is that tree, since its layers were made on other ones', async () => {
  await make('other', undefined, (upper) => writeFileSync(join(upper, 'other'), ''));
  const tops = [nameOf('other'), nameOf('middle'), nameOf('other')];
  await snapshots.compose(nameOf('composed'), { tops });
  const options = { sources: ['app/src'] };
  expect(await originOf(idOf('composed'), options, { results: { snapshot }, snapshots, flavour })).toBe(
    idOf('composed'),
  );
});
