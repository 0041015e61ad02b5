import { expect, test } from 'vitest';
import { compileGlob, hasWildcard } from './glob.ts';

// The table of Go's own test of filepath.Match; undefined stands for ErrBadPattern.
const cases: [pattern: string, name: string, expected: boolean | undefined][] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^b-d]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['[!a]', 'b', false],
  ['[!a]', '!', true],
  ['[z-a]', 'm', false],
  ['[\\]a]', ']', true],
  ['[x\\-]', '-', true],
  ['[x\\-]', 'z', false],
  ['[\\-x]', 'a', false],
  ['a.b', 'axb', false],
  ['[]a]', ']', undefined],
  ['[-]', '-', undefined],
  ['[x-]', 'x', undefined],
  ['[a-b-c]', 'a', undefined],
  ['[', 'a', undefined],
  ['[^bc', 'a', undefined],
  ['a\\', 'a', undefined],
  ['*x', 'xxx', true],
  ['*a*a*a*a', 'bababab', false],
  ['*a*a*a*a', 'abababa', true],
  // By backtracking, these would take years.
  [`${'a*'.repeat(30)}b`, 'a'.repeat(250), false],
  [`${'[^b]*'.repeat(30)}b`, `${'a'.repeat(250)}b`, true],
];

test.each(cases)('compileGlob(%j) on %j: %j', (pattern, name, expected) => {
  if (expected === undefined) expect(() => compileGlob(pattern)).toThrow('syntax error');
  else expect(compileGlob(pattern).test(name)).toBe(expected);
});

test.each([
  ['a/b', false],
  ['a*', true],
  ['a\\*b', false],
  ['a\\\\*', true],
  ['x[1]', true],
  ['?', true],
])('hasWildcard(%j) is %j', (pattern, expected) => {
  expect(hasWildcard(pattern)).toBe(expected);
});
