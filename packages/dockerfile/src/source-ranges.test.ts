import type { SourceRange } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { instructionRanges, underline, underlineWord } from './source-ranges.ts';

const text = 'FROM scratch AS base\n\nCOPY --from=base --chown=1:2 \\\n  a.txt \\\n  /b/\nRUN 3<<EOF cat\nX y\nEOF\n';
const at = (line: number): SourceRange => ({ file: 'D', start: { line, column: 1 }, end: { line, column: 5 } });
const place = ({ start, end }: SourceRange): string => `${start.line}:${start.column}-${end.line}:${end.column}`;

test.each([
  [{ kind: 'keyword' as const }, '3:1-3:5'],
  [{ kind: 'flag' as const, name: 'chown' }, '3:18-3:29'],
  [{ kind: 'argument' as const, index: 0 }, '4:3-4:8'],
  [{ kind: 'argument' as const, index: 1 }, '5:3-5:6'],
  [{ kind: 'argument' as const, index: 2 }, '3:1-3:5'],
  [{ kind: 'flag' as const, name: 'link' }, '3:1-3:5'],
])('the token %j is underlined at %s', (token, expected) => {
  expect(place(underline(text, at(3), token))).toBe(expected);
});

test.each([
  ['a.txt', '4:3-4:8'],
  ['/a.txt', '4:3-4:8'],
  ['b', '5:3-5:6'],
  ['other', '3:1-3:5'],
])('the word %s is underlined at %s', (word, expected) => {
  expect(place(underlineWord(text, at(3), word))).toBe(expected);
});

test('an unknown location is returned unchanged', () => {
  expect(underline(text, at(2))).toEqual(at(2));
});

test('the instructions are listed with their parts', () => {
  const [from, copy] = instructionRanges(text, 'D');
  expect(from?.arguments.map((argument) => argument.text)).toEqual(['scratch', 'AS', 'base']);
  expect(copy?.flags.map((flag) => flag.name)).toEqual(['from', 'chown']);
});
