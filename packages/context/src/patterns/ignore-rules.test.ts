import { expect, test } from 'vitest';
import { compileIgnoreRules, type IgnoreRules, readIgnoreLines } from './ignore-rules.ts';

function ignores(rules: IgnoreRules, path: string): boolean {
  let directory = rules.root;
  const elements = path.split('/');
  for (let count = 1; count < elements.length; count++)
    directory = rules.enter(directory, elements.slice(0, count).join('/'));
  return rules.ignores(directory, path);
}

// One pattern: Docker's own table, then what is easily got wrong.
const single: [pattern: string, path: string, ignored: boolean][] = [
  ['**', 'dir/file', true],
  ['**/', 'file', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file', true],
  ['dir/**', 'dir', false],
  ['**/dir', 'dir', true],
  ['**/dir', 'dir/file', true],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/**', 'dir/dir2/dir3/file', true],
  ['**file', 'dir/dir/file', true],
  ['**file', 'afile', true],
  ['**/file*', 'dir/dir/file.txt', true],
  ['**/file*.txt*', 'dir/dir/file.txt', true],
  ['**/**/*.txt', 'file.txt', true],
  ['**/**/*.txt2', 'dir/dir/file.txt', false],
  ['a**/*.txt', 'a/dir/dir/file.txt', true],
  ['a/*.txt', 'a/dir/file.txt', false],
  ['a/*.txt**', 'a/file.txt', true],
  ['a[b-d]e', 'ace', true],
  ['a[b-d]e', 'aae', false],
  ['a[^b-d]e', 'aze', true],
  ['.*', '.foo', true],
  ['.*', 'foo', false],
  ['abc.def', 'abcZdef', false],
  ['abc?def', 'abcZdef', true],
  ['**/foo/bar', 'dir/dir2/foo/bar', true],
  ['**/.foo', 'bar.foo', false],
  ['a(b)c/def', 'a(b)c/def', true],
  ['a.|)$(}+{bc', 'a.|)$(}+{bc', true],
  ['dist/*.whl', 'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', true],
  ['a\\\\', 'a\\', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['node_modules', 'a/node_modules/x', false],
  ['*.md', 'docs/a.md', false],
  ['README.md', 'readme.md', false],
  ['a/', 'a', true],
  [' a ', 'a', true],
  ['./a', 'a/b', true],
  ['a//b', 'a/b', true],
  ['a/../b', 'b', true],
  ['[!a]', 'b', false],
  ['.', 'a', false],
  ['..', 'a', false],
  ['***', 'a/b', true],
  ['*', 'a/b', true],
  ['a*b*c*d', 'a1b2c3d', true],
  ['a*b*c*d', 'a1b2/c3d', false],
  ['**/a*b*/**/c?*', 'x/a1b2/y/z/c3', true],
  ['**/a*b*/**/c?*', 'x/a1b2/y/z/c', false],
  ['**/[a-b]*[^c]*d*', 'x/b12d', true],
  ['**/\\**\\**x*', 'x/*1*2x3', true],
  ['^a/*/b', 'a/x/b', true],
  // Docker passes an escaped letter on to Go's regular expressions.
  ['\\d', '1', true],
  ['\\d', 'd', false],
  ['**/\\d', 'a/1', true],
  ['d\\d/in', 'd1/in', true],
  ['a\\D\\w', 'a/x', true],
  ['*\\s*', 'a b', true],
  ['[\\d]', '7', true],
  ['\\x31', '1', true],
  ['**\\bin', 'x/in', true],
  ['a\\b', 'a', true],
  ['\\Aa\\z', 'a', true],
  ['src\\Aa', 'src/Aa', false],
  ['*\\d*\\d*\\d*', 'a1b2c3d', true],
  ['*\\d*\\d*\\d*', 'a1b2cd', false],
  ['*\\x31*\\x4a*\\a*', 'a1bJc\x07', true],
  ['*\\x31*\\x4a*\\a*', 'ax31bJca', false],
  ['*\\b1*b*\\z', 'a-1b', true],
  ['*\\b1*b*\\z', 'a1b', false],
  ['\\061', '1', true],
  ['\\pL', 'é', true],
  ['z\\PL', 'z1', true],
  ['[[:digit:]]', '7', true],
  ['[[:^digit:]]', '7', false],
  ['[\\S\\n]', ' ', false],
  ['*\\S', 'a\u00a0', true],
  ['*.log|*.tmp', 'a.log', true],
  ['*.log|*.tmp', 'b.tmp', true],
  ['*.log|*.tmp', 'c', false],
  ['a*|[b]|c', 'xbx', true],
  // Go finds syntax errors only up to what differs from the path ".".
  ['**/*[-_]x*', 'd/a-x', true],
  ['a*[]b]', 'a]', true],
];

// Each would take years by backtracking.
const LONG = 'a'.repeat(250);
single.push(
  [`${'a*'.repeat(30)}b`, LONG, false],
  [`**/${'a*'.repeat(30)}b`, `dir/${LONG}`, false],
  [`**/${'a*'.repeat(30)}b`, `dir/${LONG}b`, true],
  [`${'**/'.repeat(30)}b`, 'a/'.repeat(2000) + 'a', false],
  [`${'[a-z]*'.repeat(30)}[b]`, LONG, false],
  [`${'?*'.repeat(30)}b/c`, `${LONG}/c`, false],
);

test.each(single)('%j on %j: %j', (pattern, path, ignored) => {
  expect(ignores(compileIgnoreRules([pattern]), path)).toBe(ignored);
});

const several: [patterns: string[], path: string, ignored: boolean][] = [
  [['**', '!util/docker/web'], 'util/docker/web/foo', false],
  [['**', '!util/docker/web', 'util/docker/web/foo'], 'util/docker/web/foo', true],
  [['**', '!dist/*.whl'], 'dist/a.whl', false],
  [['a', '!a/b'], 'a/b', false],
  [['*', '!d\\d/*'], 'd1/in', false],
  [['a', '!a/b'], 'a/c', true],
  [['*', '!src/x'], 'src/x', false],
  [['!a.go', '*.go'], 'a.go', true],
  [['*.go', '!a.go'], 'a.go', false],
  // An exception that was skipped for the parent does not count for the child.
  [['x/y', '!x'], 'x/y', true],
  // While all exceptions are plain, Docker does not look for them by their glob.
  [['P', '!P/*/**'], 'P/x/y', true],
  [['P', '!P/*/**', '!*.md'], 'P/x/y', false],
];

test.each(several)('%j on %j: %j', (patterns, path, ignored) => {
  expect(ignores(compileIgnoreRules(patterns), path)).toBe(ignored);
});

const REFUSED = ['[\\A]', '[\\z]', '[\\b]', '\\xZZ', '[[:none:]]', '[-_]*', '*[a', '*\\ba*\\y*'].map((pattern) => [
  pattern,
]);

test.each([['!'], ['['], ['a\\'], ['[z-a]'], ['**/[z-a]*'], ['\\y'], ['a\\in'], ['\\1'], ['\\é'], ...REFUSED])(
  'the ignore pattern %j is refused',
  (pattern) => {
    expect(() => compileIgnoreRules([pattern])).toThrow(/names no path|syntax error/);
  },
);

test.each(['a\\', 'a*\\', 'a\\in'])(
  'the hint about the ignore pattern %j is to separate directories by "/"',
  (pattern) => {
    const refused = expect.objectContaining({ hint: expect.stringContaining('Separate directories by "/"') });
    expect(() => compileIgnoreRules([pattern])).toThrow(refused);
  },
);

test('an ignore pattern of more than 64 KiB is refused', () => {
  expect(() => compileIgnoreRules(['a'.repeat(65_537)])).toThrow('more than 65536 characters');
});

const pruning: [patterns: string[], directory: string, closed: boolean][] = [
  [['node_modules'], 'node_modules', true],
  [['a', '!b/c'], 'a', true],
  [['a', '!a/c'], 'a', false],
  [['*', '!src/*.ts'], 'node_modules', true],
  [['*', '!s*/*.ts'], 'src', false],
  [['*', '!**/*.ts'], 'node_modules', false],
  [['a', '!^a/b'], 'a', false],
  [['a', String.raw`!a\/b`], 'a', false],
];

test.each(pruning)('with the patterns %j the directory %j is closed: %j', (patterns, directory, closed) => {
  const rules = compileIgnoreRules(patterns);
  expect(rules.enter(rules.root, directory).closed).toBe(closed);
});

// Of the directory `a/b`: the names of entries that may be kept, and of those that may lead to something kept.
const names: [patterns: string[], kept: string[] | undefined, keptBelow: string[] | undefined][] = [
  [['a', '!a/b/x', '!a/b/y/z'], ['x'], ['x', 'y']],
  [['a', '!a/*/x', '!a/?/y/z'], ['x'], ['y']],
  [['a', '!a/c/x', '!a/*/*/z'], [], undefined],
  [['a', '!a/b/*.x'], undefined, []],
  [['a', '!**/b/x', '!**/c/y'], ['x'], undefined],
  [['a', '!**/b/*'], undefined, undefined],
  [['a', '!a/**/x'], ['x'], undefined],
  [['a', '!a/b**/x'], undefined, undefined],
  [['a', '!a/[a-b]/x'], undefined, undefined],
  [['!a/*/x', 'a', '!a/*/y'], ['y'], []],
  [['a/x', '!a/*/y'], undefined, []],
  [['a', '!a/b/*/y', '!a/b', 'a/*/x'], undefined, undefined],
];

test.each(names)(
  'with the patterns %j only these entries of a directory can be kept: %j, %j',
  (patterns, kept, below) => {
    const rules = compileIgnoreRules(patterns);
    const match = rules.enter(rules.enter(rules.root, 'a'), 'a/b');
    expect([match.kept && [...match.kept], match.keptBelow && [...match.keptBelow]]).toEqual([kept, below]);
  },
);

test('readIgnoreLines handles a byte order mark, comments, blank lines and leading slashes', () => {
  const text = '\ufeff# comment\n #not a comment\r\n\n  /a/ \n! /b\n/\n!\n';
  expect(readIgnoreLines(text)).toEqual(['#not a comment', 'a', '!b', '/', '!']);
});
