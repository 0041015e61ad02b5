import type { SourceRange } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { underline, underlineWord } from './source-ranges.ts';

const text = 'FROM scratch AS base\n\nCOPY --from=base --chown=1:2 \\\n  a.txt \\\n  /b/\nRUN 3<<EOF cat\nX y\nEOF\n';
const at = (line: number): SourceRange => ({ file: 'D', start: { line, column: 1 }, end: { line, column: 5 } });
const place = ({ start, end }: SourceRange): string => `${start.line}:${start.column}-${end.line}:${end.column}`;

test('the keyword of the instruction is underlined', () => {
  expect(place(underline(text, at(3)))).toBe('3:1-3:5');
});

test.each([
  ['a.txt', '4:3-4:8'],
  ['/a.txt', '4:3-4:8'],
  ['b', '5:3-5:6'],
  ['other', '3:1-3:5'],
  ['base', '3:1-3:5'],
])('the word %s is underlined at %s', (word, expected) => {
  expect(place(underlineWord(text, at(3), word))).toBe(expected);
});

test('an unknown location is returned unchanged', () => {
  expect(underline(text, at(2))).toEqual(at(2));
});
