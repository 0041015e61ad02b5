import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type ContextOptions, type FileTree, openContext } from './index.ts';

const base = mkdtempSync(join(tmpdir(), 'build-context-'));
const root = join(base, 'root');
afterAll(() => rmSync(base, { recursive: true }));

beforeEach(() => {
  rmSync(base, { recursive: true });
  write({ 'a.md': '', 'src/b.md': '', 'src/c.ts': '', 'node_modules/x/y/z.js': '', 'node_modules/x/keep.md': '' });
});

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function listAll(tree: FileTree, path = ''): string[] {
  return tree
    .list(path)
    .flatMap((entry) => [entry.path, ...((entry.stats.mode & 0o170000) === 0o040000 ? listAll(tree, entry.path) : [])]);
}

const NOISE = new Set(['.dockerignore', 'Dockerfile.dockerignore', 'sub', 'sub/own.dockerignore']);

const cases: [name: string, files: Record<string, string>, options: ContextOptions, expected: string[]][] = [
  [
    'no ignore file',
    {},
    {},
    [
      'a.md',
      'node_modules',
      'node_modules/x',
      'node_modules/x/keep.md',
      'node_modules/x/y',
      'node_modules/x/y/z.js',
      'src',
      'src/b.md',
      'src/c.ts',
    ],
  ],
  ['a common one', { '.dockerignore': 'node_modules\n*.md\n' }, {}, ['src', 'src/b.md', 'src/c.ts']],
  [
    'one for the Dockerfile comes first',
    { '.dockerignore': '*', 'Dockerfile.dockerignore': 'node_modules\nsrc' },
    { dockerfile: 'Dockerfile' },
    ['a.md'],
  ],
  [
    'of a Dockerfile below',
    { 'sub/own.dockerignore': '**/*.md\nnode_modules' },
    { dockerfile: 'sub/own' },
    ['src', 'src/c.ts'],
  ],
  [
    'of another Dockerfile',
    { '.dockerignore': 'node_modules\nsrc', 'sub/own.dockerignore': '*' },
    { dockerfile: 'Dockerfile' },
    ['a.md'],
  ],
  [
    'empty and first',
    { '.dockerignore': 'src', 'Dockerfile.dockerignore': '# nothing\nnode_modules\n' },
    { dockerfile: 'Dockerfile' },
    ['a.md', 'src', 'src/b.md', 'src/c.ts'],
  ],
  [
    'exceptions bring their parents back',
    { '.dockerignore': '*\n!**/keep.md\n' },
    {},
    ['node_modules', 'node_modules/x', 'node_modules/x/keep.md'],
  ],
  [
    'not for fetched contexts',
    { '.dockerignore': '*' },
    { ignoreFiles: false },
    [
      'a.md',
      'node_modules',
      'node_modules/x',
      'node_modules/x/keep.md',
      'node_modules/x/y',
      'node_modules/x/y/z.js',
      'src',
      'src/b.md',
      'src/c.ts',
    ],
  ],
];

test.each(cases)('the tree of a context with ignore file: %s', (_, files, options, expected) => {
  write(files);
  expect(listAll(openContext(root, options).tree).filter((path) => !NOISE.has(path))).toEqual(expected);
});

test('an ignored file is not in the tree, but can be read as text', () => {
  write({ '.dockerignore': '*\n!src/c.ts', Dockerfile: 'FROM scratch\n' });
  symlinkSync('../Dockerfile', join(root, 'src/link'));
  const { tree, readText } = openContext(root);
  expect(tree.stat('src/b.md')).toBeUndefined();
  expect(tree.stat('src')?.path).toBe('src');
  expect(tree.stat('node_modules')).toBeUndefined();
  expect(readText('src/link')).toBe('FROM scratch\n');
  expect(() => readText('none')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('the root of a context may be a symbolic link', () => {
  symlinkSync(root, join(base, 'link'));
  expect(
    openContext(join(base, 'link'))
      .tree.list('src')
      .map(({ name }) => name),
  ).toEqual(['b.md', 'c.ts']);
});

test.each([
  ['missing', 'none', 'is not a directory'],
  ['a file', 'root/a.md', 'is not a directory'],
])('a context whose root is %s is refused', (_, path, message) => {
  expect(() => openContext(join(base, path))).toThrow(message);
});

test('the error for a malformed pattern names the ignore file', () => {
  write({ '.dockerignore': 'a\n!\n' });
  expect(() => openContext(root)).toThrow(`Ignore pattern "!" names no path in "${root}/.dockerignore"`);
  write({ '.dockerignore': 'build\\yes\n' });
  const hint = expect.stringContaining('Separate directories by "/"');
  expect(() => openContext(root)).toThrow(expect.objectContaining({ hint }));
});

const leftOut: [lines: string, path: string, expected: boolean][] = [
  ['secret', 'secret', true],
  ['secret', 'secret/key', true],
  ['secret', 'a/secret', false],
  ['secret', '/secret', false],
  ['a/*.log', 'a/x.log', true],
  ['*.log', '*.log', true],
  ['**/node_modules', 'a/b/node_modules/c', true],
  ['*', '.', true],
  ['*', '..', false],
  ['*', '../x', false],
  ['*.log', '.', false],
  ['**', '.', true],
  ['**/*', '.', true],
  ['*.md', '.', false],
  ['a', '.', false],
  ['*\n!kept', 'secret', false],
  ['', 'secret', false],
];

test.each(leftOut)('the ignore file %j excludes %j: %j', (lines, path, expected) => {
  const directory = mkdtempSync(join(tmpdir(), 'tbuild-ignored-'));
  writeFileSync(join(directory, '.dockerignore'), lines);
  expect(openContext(directory).isIgnored(path)).toBe(expected);
  rmSync(directory, { recursive: true });
});
