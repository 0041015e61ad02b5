import { expect, test } from 'vitest';
import { formatDuration, formatList, formatQuotedList } from './go-format.ts';

const durations: [nanoseconds: number, printed: string][] = [
  [0, '0s'],
  [1, '1ns'],
  [1500, '1.5µs'],
  [300e6, '300ms'],
  [1e9, '1s'],
  [1.5e9, '1.5s'],
  [90e9, '1m30s'],
  [300e9, '5m0s'],
  [3600e9, '1h0m0s'],
  [36_000.25e9, '10h0m0.25s'],
];

test.each(durations)('%d ns print as %s', (nanoseconds, printed) => {
  expect(formatDuration(nanoseconds)).toBe(printed);
});

const lists: [items: string[], printed: string][] = [
  [[], '[]'],
  [['a', 'b c'], '["a" "b c"]'],
  [['say "hi"\n', 'C:\\'], '["say \\"hi\\"\\n" "C:\\\\"]'],
  [['é', '\u0001', '\u200b'], '["é" "\\x01" "\\u200b"]'],
];

test.each(lists)('%j prints quoted as %s', (items, printed) => {
  expect(formatQuotedList(items)).toBe(printed);
});

test('a list prints without quotes in the format %v', () => {
  expect(formatList(['/a', '/b'])).toBe('[/a /b]');
});
