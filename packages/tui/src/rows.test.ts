import { expect, test } from 'vitest';
import { rowText } from './rows.ts';

const row = {
  text: ` => => sha256:${'abcdef01'.repeat(8)}`,
  status: '12.58MB / 104.86MB',
  timer: '1.2s',
  tone: 'plain',
} as const;

test.each([
  [50, ' => => sha256:abcdef01abc 12.58MB / 104.86MB 1.2s'],
  [100, ` => => sha256:${'abcdef01'.repeat(7)}abcde 12.58MB / 104.86MB 1.2s`],
  [110, ` => => sha256:${'abcdef01'.repeat(8)} 12.58MB / 104.86MB${' '.repeat(7)} 1.2s`],
  [40, ' => => sha256:abcdef01abcdef01abcd 1.2s'],
])('on %i columns', (columns, expected) => {
  expect(rowText(row, columns)).toBe(expected);
});
