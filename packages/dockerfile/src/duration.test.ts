import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['5s', 5e9],
  ['1.5h', 5400e9],
  ['1h2m3s4ms5us6ns', 3723004005006],
  ['.5s', 5e8],
  ['1.s', 1e9],
  ['10µs', 10_000],
  ['-3m', -180e9],
  ['+2s', 2e9],
  ['0s', 0],
  ['1.0000000001s', 1e9],
])('the duration %s is %d ns', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  ['', 'invalid duration ""'],
  ['-', 'invalid duration "-"'],
  ['3', 'missing unit in duration "3"'],
  ['1h3', 'missing unit in duration "1h3"'],
  ['s', 'invalid duration "s"'],
  ['.s', 'invalid duration ".s"'],
  ['3 s', 'unknown unit " s" in duration "3 s"'],
  ['1d', 'unknown unit "d" in duration "1d"'],
  ['9999999h', 'invalid duration "9999999h"'],
])('the duration %j is refused: %s', (text, fault) => {
  expect(parseDuration(text)).toEqual({ fault });
});
