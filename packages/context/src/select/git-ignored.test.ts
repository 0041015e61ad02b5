import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { measureGitIgnored, openDirectory, selectFiles } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'git-ignored-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
});

/** Files by size in millions of bytes, or by their text. */
function write(files: Readonly<Record<string, number | string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : '');
    if (typeof content === 'number') truncateSync(path, content * 1e6);
  }
}

const measure = (directory = '') => {
  const context = join(root, directory);
  return measureGitIgnored(context, runSync(selectFiles(openDirectory(context), { sources: [''] })));
};

test('a small selection is not measured', () => {
  write({ '.gitignore': 'x\n', x: 49 });
  expect(measure()).toBeUndefined();
});

test('a selection is reported when git ignores most of it, by size or by number', () => {
  write({ '.gitignore': '/out\n*.log\n!keep.log\n', 'out/a': 60, 'out/b/c': 10, 'b.log': 1, 'keep.log': 1, source: 1 });
  expect(measure()).toEqual({
    files: 3,
    bytes: 71e6,
    total: { files: 6, bytes: 73e6 + 21 },
    largest: [
      { path: 'out', bytes: 70e6 },
      { path: 'b.log', bytes: 1e6 },
    ],
  });
  write({ source: 200 });
  expect(measure()).toBeUndefined();
});

test('a pattern with exponential matching time is skipped', () => {
  write({ '.gitignore': `${'a*'.repeat(30)}b\nout\n`, [`${'a'.repeat(250)}`]: 20, out: 60 });
  expect(measure()).toMatchObject({ files: 1, bytes: 60e6 });
});

test('a .gitignore that is not a regular file is skipped', () => {
  write({ out: 60 });
  execFileSync('mkfifo', [join(root, '.gitignore')]);
  expect(measure()).toBeUndefined();
});

test('the nearest .gitignore decides, up to the top directory of the repository', needs('git'), () => {
  execFileSync('git', ['init', '--quiet', root]);
  write({
    '.gitignore': '*.bin\n',
    'app/.gitignore': '!kept.bin\n',
    'app/a.bin': 60,
    'app/kept.bin': 1,
    'app/sub/.gitignore': 'made\n',
    'app/sub/made': 5,
  });
  expect(measure('app')?.largest).toEqual([
    { path: 'a.bin', bytes: 60e6 },
    { path: 'sub/made', bytes: 5e6 },
  ]);
});

test('a context without a .gitignore is not reported', () => {
  write({ x: 60 });
  expect(measure()).toBeUndefined();
});
