import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDirectory } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'make-directory-'));
afterAll(() => rmSync(root, { recursive: true }));

test('makes a directory with its missing parents, and leaves one that exists alone', () => {
  const path = join(root, 'a/b/c');
  makeDirectory(path, { mode: 0o700 });
  makeDirectory(path);
  expect(['a', 'a/b', 'a/b/c'].map((name) => statSync(join(root, name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
});

test('accepts a link to a directory', () => {
  makeDirectory(join(root, 'target'));
  symlinkSync('target', join(root, 'link'));
  makeDirectory(join(root, 'link/below'));
  expect(statSync(join(root, 'target/below')).isDirectory()).toBe(true);
});

test.each(['/proc/none', '/proc/none/a/b'])('refuses %s, where the kernel takes no new name', (path) => {
  expect(() => makeDirectory(path)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: 'Directory "/proc/none" cannot be made: its file system refuses the name',
    }),
  );
});

test('throws the error of the system for a parent that is a file, and for a dangling link', () => {
  writeFileSync(join(root, 'file'), '');
  symlinkSync('missing', join(root, 'dangling'));
  expect(() => makeDirectory(join(root, 'file/a'))).toThrow('ENOTDIR');
  expect(() => makeDirectory(join(root, 'dangling'))).toThrow('EEXIST');
});
