import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOpaque, makeWhiteout } from '@tbuild/snapshot';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../../../../test/support/requirements.ts';
import { layersAt, overlayOf } from './sub-tree.ts';

const root = mkdtempSync(join(tmpdir(), 'sub-tree-'));
afterAll(() => rmSync(root, { recursive: true }));

/**
 * Makes layers, bottom first: `d/` is a directory, `=d` an opaque one, `!d` a deleted name, `f` a file, `l@` a link.
 */
function layers(...names: readonly (readonly string[])[]): string[] {
  return names.map((entries) => {
    const layer = mkdtempSync(join(root, 'layer-'));
    for (const entry of entries) makeEntry(layer, entry);
    return layer;
  });
}

function makeEntry(layer: string, entry: string): void {
  const path = join(layer, entry.replace(/^[=!]|[@/]$/g, ''));
  if (entry.startsWith('!')) makeWhiteout(path);
  else if (entry.endsWith('@')) symlinkSync('/', path);
  else if (entry.startsWith('=') || entry.endsWith('/')) mkdirSync(path, { recursive: true });
  else writeFileSync(path, '');
  if (entry.startsWith('=')) makeOpaque(path, 'trusted');
}

const cases: readonly [
  name: string,
  path: string,
  layers: readonly (readonly string[])[],
  expected: readonly number[],
][] = [
  ['in all layers', 'd', [['d/'], ['d/'], ['d/']], [0, 1, 2]],
  ['at the root', '', [['d/'], []], [0, 1]],
  ['in some layers', 'a/d', [['a/d/'], ['a/'], [], ['a/d/']], [0, 3]],
  ['hidden by an opaque directory', 'd', [['d/'], ['=d'], ['d/']], [1, 2]],
  ['hidden by an opaque parent that contains it', 'a/d', [['a/d/'], ['=a', 'a/d/'], ['a/d/']], [1, 2]],
  ['hidden by an opaque parent that lacks it', 'a/d', [['a/d/'], ['=a'], ['a/d/']], [2]],
  ['deleted in a layer between', 'd', [['d/'], ['!d'], ['d/']], [2]],
  ['whose parent is deleted in a layer between', 'a/d', [['a/d/'], ['!a'], ['a/d/']], [2]],
  ['replaced by a file in a layer between', 'd', [['d/'], ['d'], ['d/']], [2]],
  ['whose parent is replaced by a link in a layer between', 'a/d', [['a/d/'], ['a@'], ['a/d/']], [2]],
];

test.each(cases)('layersAt finds a directory %s', needs('root'), (_, path, entries, expected) => {
  const directories = layers(...entries);
  expect(layersAt(path, directories, 'trusted')).toEqual(expected.map((index) => join(directories[index] ?? '', path)));
});

test('A read-only overlay has two lower directories and no upper one', () => {
  const [layer = ''] = layers(['f']);
  const { options } = overlayOf([layer], {
    place: mkdtempSync(join(root, 'place-')),
    writable: false,
    flavour: 'user',
  });
  expect(options).toEqual(['lowerdir=1:0', 'ro', 'userxattr']);
});

test('A writable overlay lists the layers from top to bottom', () => {
  const { options } = overlayOf(layers([], [], []), {
    place: mkdtempSync(join(root, 'place-')),
    writable: true,
    flavour: 'user',
  });
  expect(options).toEqual(['lowerdir=2:1:0', 'upperdir=fs', 'workdir=work', 'volatile', 'userxattr']);
});

test('A repeated layer is mounted once, at its topmost position', () => {
  const [lower = '', upper = ''] = layers([], []);
  const options = (stack: readonly string[], writable: boolean): readonly string[] =>
    overlayOf(stack, { place: mkdtempSync(join(root, 'place-')), writable, flavour: 'user' }).options;
  const place = mkdtempSync(join(root, 'place-'));
  overlayOf([upper, lower, upper, upper], { place, writable: true, flavour: 'user' });
  expect([readlinkSync(join(place, '0')), readlinkSync(join(place, '1'))]).toEqual([lower, upper]);
  expect(options([upper, lower, upper, upper], true)[0]).toBe('lowerdir=1:0');
  expect(options([upper, upper], false)[0]).toBe('lowerdir=1:0');
});
