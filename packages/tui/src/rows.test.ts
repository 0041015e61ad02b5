import { expect, test } from 'vitest';
import type { TransferView } from './build-view.ts';
import { rowText } from './rows.ts';
import { transferStatuses } from './transfer-label.ts';

const row = {
  text: ` => => sha256:${'abcdef01'.repeat(8)}`,
  statuses: ['12.58MB / 104.86MB'],
  timer: '1.2s',
  tone: 'plain',
} as const;

test.each([
  [50, ' => => sha256:abcdef01abc 12.58MB / 104.86MB 1.2s'],
  [100, ` => => sha256:${'abcdef01'.repeat(7)}abcde 12.58MB / 104.86MB 1.2s`],
  [110, ` => => sha256:${'abcdef01'.repeat(8)} 12.58MB / 104.86MB${' '.repeat(7)} 1.2s`],
  [40, ' => => sha256:abcdef01abcdef01abcd 1.2s'],
])('a row fits %i columns', (columns, expected) => {
  expect(rowText(row, columns)).toBe(expected);
});

const transfer: TransferView = {
  item: `sha256:${'abcdef01'.repeat(8)}`,
  current: 30_000_000,
  total: 100_000_000,
  startedAt: 0,
  updatedAt: 4000,
  done: false,
  recent: [
    { at: 1000, current: 0 },
    { at: 3500, current: 25_000_000 },
  ],
};

test.each([
  [90, ' => => sha256:abcdef01abcdef01abcd [===>      ] 30.00MB / 100.00MB 10.00MB/s 7s left 4.0s'],
  [70, ' => => sha256:abcdef01abcde 30.00MB / 100.00MB 10.00MB/s 7s left 4.0s'],
  [60, ' => => sha256:abcdef01abc 30.00MB / 100.00MB 10.00MB/s 4.0s'],
  [50, ' => => sha256:abcdef01abc 30.00MB / 100.00MB 4.0s'],
])('a transfer on %i columns shows the rate and the time left where they fit', (columns, expected) => {
  const text = ` => => ${transfer.item}`;
  expect(rowText({ text, statuses: transferStatuses(transfer, 4000), timer: '4.0s', tone: 'plain' }, columns)).toBe(
    expected,
  );
});

test('a stalled transfer has a rate of zero and no time left', () => {
  const still = { ...transfer, recent: [{ at: 3500, current: 30_000_000 }] };
  expect(transferStatuses(still, 9000)[0]).toBe('[===>      ] 30.00MB / 100.00MB 0B/s');
});
