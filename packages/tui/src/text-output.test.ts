import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { sizeOf } from './text-output.ts';

test.each([
  [
    { columns: 100, rows: 30 },
    { columns: 100, rows: 30 },
  ],
  [{}, { columns: 80, rows: 24 }],
  [
    { columns: 0, rows: 0 },
    { columns: 80, rows: 24 },
  ],
])('the screen size of a stream that reports %j', (says, size) => {
  expect(sizeOf(Object.assign(new PassThrough(), says))).toEqual(size);
});
