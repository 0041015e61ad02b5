import { cpSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyTrash, storeLayout } from '@tbuild/store';
import { describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import {
  createOverlaySnapshotter,
  type LayeredTree,
  makeOpaque,
  makeWhiteout,
  openLayeredTree,
  type OverlayFlavour,
  sweepAbandoned,
} from './index.ts';
import { inMount, newDirectory, writableFlavours } from './test-stack.ts';
import { describeSnapshotter } from './testsuite.ts';

/** As in `makeEntry`. */
const REPEATED = {
  base: ['a/f', 'b/below', 'c', 'd/x', 'e', 'f'],
  one: ['a/f', 'a/h', '=b', 'b/own', '!c', '!d/x', '!g', 'e/f'],
  two: ['a/f', 'a/g', 'b/other', 'c/x', 'd/x', 'e', 'g'],
};

/** `d/f` is a file with the name of its layer, `=d` an opaque directory, `!f` a deleted name. */
function makeEntry(upper: string, entry: string, layer: { name: string; flavour: OverlayFlavour }): void {
  const path = join(upper, entry.replace(/^[=!]/, ''));
  mkdirSync(dirname(path), { recursive: true });
  if (entry.startsWith('!')) return makeWhiteout(path);
  if (!entry.startsWith('=')) return writeFileSync(path, layer.name);
  mkdirSync(path);
  makeOpaque(path, layer.flavour);
}

function filesOf(tree: LayeredTree, directory: string): string[] {
  return tree
    .list(directory)
    .flatMap(({ path, stats }) => (stats.isDirectory() ? filesOf(tree, path) : [path]))
    .sort();
}

describe.each(writableFlavours())('%s', needs('root'), (flavour) => {
  describeSnapshotter('overlay', () => createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour }));

  test('a tree of 400 layers can be mounted and written to', async () => {
    const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
    const tops = Array.from({ length: 400 }, (_, index) => `layer${index}`);
    for (const name of tops) {
      await using active = await snapshots.prepare();
      writeFileSync(join(active.upper, name), name);
      await active.commit(name);
    }
    await snapshots.compose('all', { tops });
    await using active = await snapshots.prepare('all');
    expect(inMount(active.mount, 'rm layer399; echo new > file; ls | wc -l').trim()).toBe('400');
    await active.commit('done');
    const done = await snapshots.stat('done');
    expect(readdirSync(done?.directories.at(-1) ?? '')).toEqual(['file', 'layer399']);
  });

  test('a tree shows all layers below, also after branches and after the store moved', async () => {
    const [root, moved] = [newDirectory(), newDirectory()];
    let snapshots = createOverlaySnapshotter({ store: storeLayout(root), flavour });
    const make = async (name: string, parent?: string): Promise<string> => {
      await using active = await snapshots.prepare(parent);
      writeFileSync(join(active.upper, name), name);
      const seen = inMount(active.mount, 'ls').trim().split('\n').join();
      await active.commit(name);
      return seen;
    };
    expect([await make('a'), await make('b', 'a'), await make('c', 'b')]).toEqual(['a', 'a,b', 'a,b,c']);
    expect([await make('d', 'c'), await make('e', 'c'), await make('f', 'e')]).toEqual([
      'a,b,c,d',
      'a,b,c,e',
      'a,b,c,e,f',
    ]);
    await make('x');
    await snapshots.compose('xc', { base: 'x', tops: ['c'] });
    expect([await make('g', 'xc'), await make('h', 'c')]).toEqual(['c,g,x', 'a,b,c,h']);
    cpSync(join(root, 'snapshots'), join(moved, 'snapshots'), { recursive: true, verbatimSymlinks: true });
    rmSync(root, { recursive: true });
    snapshots = createOverlaySnapshotter({ store: storeLayout(moved), flavour });
    expect([await make('i', 'f'), await make('j', 'i')]).toEqual(['a,b,c,e,f,i', 'a,b,c,e,f,i,j']);
  });

  test('a tree with repeated layers can be mounted and shows the same files', async () => {
    const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
    for (const [name, entries] of Object.entries(REPEATED)) {
      await using active = await snapshots.prepare();
      for (const entry of entries) makeEntry(active.upper, entry, { name, flavour });
      await active.commit(name);
    }
    const seen = async (parent: string, name: string): Promise<string> => {
      await using active = await snapshots.prepare(parent);
      const files = inMount(active.mount, 'find * -type f | sort; touch touched; cat a/f');
      writeFileSync(join(active.upper, name), '');
      const tree = openLayeredTree(active.lowers, flavour);
      expect(filesOf(tree, '')).toEqual(files.trim().split('\n').slice(0, -1));
      await active.commit(name);
      return files;
    };
    const expected = 'a/f\na/g\na/h\nb/own\ne/f\nf\n';
    await snapshots.compose('twice', { tops: ['base', 'one', 'two', 'one', 'one'] });
    expect(await seen('twice', 'x')).toBe(`${expected}one`);
    expect(await seen('x', 'y')).toBe(`${expected}touched\nx\none`);
    await snapshots.compose('again', { base: 'y', tops: ['two', 'one', 'x'] });
    expect(await seen('again', 'z')).toBe(`${expected}touched\nx\ny\none`);
    expect(await seen('z', 'last')).toBe(`${expected}touched\nx\ny\nz\none`);
    expect(await seen('again', 'beside')).toBe(`${expected}touched\nx\ny\none`);
  });

  test('a tree of 600 layers can be mounted if few of them differ', async () => {
    const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
    for (const name of ['one', 'two']) {
      await using active = await snapshots.prepare();
      writeFileSync(join(active.upper, name), name);
      await active.commit(name);
    }
    await snapshots.compose('all', { tops: Array.from({ length: 600 }, (_, index) => (index % 2 ? 'one' : 'two')) });
    await using active = await snapshots.prepare('all');
    expect(inMount(active.mount, 'ls')).toBe('one\ntwo\n');
  });

  test('an empty tree can be mounted', async () => {
    const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
    await using active = await snapshots.prepare();
    expect(inMount(active.mount, 'mkdir a; stat -c %a:%u .').trim()).toBe('755:0');
    expect((await active.commit('x')).directories).toHaveLength(1);
  });
});

test('sweepAbandoned moves the trees of dead processes to the trash', async () => {
  const root = newDirectory();
  const snapshots = createOverlaySnapshotter({ store: storeLayout(root), flavour: 'user' });
  const active = await snapshots.prepare();
  const began = lstatSync(join(active.upper, '..')).ctimeMs;
  expect(sweepAbandoned(storeLayout(root), began)).toBe(0);
  expect(sweepAbandoned(storeLayout(root), began + 1)).toBe(1);
  expect(readdirSync(join(root, 'trash'))).toHaveLength(1);
  await emptyTrash(storeLayout(root));
  expect(readdirSync(join(root, 'trash'))).toEqual([]);
});
