import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeWithin } from './make-within.ts';

const directory = mkdtempSync(join(tmpdir(), 'make-within-'));
afterAll(() => rmSync(directory, { recursive: true }));
const [root, outside] = [join(directory, 'root'), join(directory, 'outside')];
for (const path of [root, outside]) mkdirSync(path);
writeFileSync(join(outside, 'file'), 'mine\n');
symlinkSync(outside, join(root, 'link'));
symlinkSync(join(outside, 'file'), join(root, 'file-link'));

test('directories and an empty file are made, and made again without effect', () => {
  for (const _ of [1, 2]) {
    makeWithin(root, 'a/b/c', 'directory');
    makeWithin(root, 'a/f/file', 'file');
  }
  expect(lstatSync(join(root, 'a/b/c')).isDirectory()).toBe(true);
  expect(readFileSync(join(root, 'a/f/file'), 'utf8')).toBe('');
});

test.each([
  ['link/new', 'directory'],
  ['link/new', 'file'],
  ['link', 'directory'],
  ['a/../link/new', 'file'],
] as const)('nothing is made behind a link: %s, a %s', (path, kind) => {
  const message = expect.stringMatching(/^(ELOOP|ENOTDIR): .*'[^']*\/root\/(a\/\.\.\/)?link'$/);
  expect(() => makeWithin(root, path, kind)).toThrow(
    expect.objectContaining({ message, path: `${root}/${path.replace('/new', '')}` }),
  );
  expect(readdirSync(outside)).toEqual(['file']);
});

test('a file behind a link keeps its content', () => {
  makeWithin(root, 'file-link', 'file');
  expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('mine\n');
});
