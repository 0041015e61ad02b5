import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeAtomically } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'atomic-file-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a file is written also when its directory is removed in the middle', () => {
  const directory = join(root, 'notes/of');
  let removals = 0;
  writeAtomically(join(directory, 'a'), function* () {
    yield 'one ';
    if (removals++ < 2) rmSync(directory, { recursive: true });
    yield 'two';
  });
  expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('one two');
  expect(readdirSync(directory)).toEqual(['a']);
});

test('a directory that is always removed is an error', () => {
  const directory = join(root, 'removed');
  const write = (): void =>
    writeAtomically(join(directory, 'a'), () => {
      rmSync(directory, { recursive: true });
      return [];
    });
  expect(write).toThrow('ENOENT');
});
