import { expect, test } from 'vitest';
import { createTransferLines } from './transfer-lines.ts';

const [A, B] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];

function record(isTTY: boolean) {
  let [text, time] = ['', 0];
  const write = (added: string): void => void (text += added);
  const lines = createTransferLines({ out: { write, isTTY, columns: 60 }, now: () => time });
  return { lines, text: () => text, pass: (milliseconds: number) => (time += milliseconds) };
}

test('without a terminal only long transfers are shown before they finish', () => {
  const { lines, text, pass } = record(false);
  lines.report(A, 0, 104_857_600);
  pass(4000);
  lines.report(A, 10_000_000, 104_857_600);
  lines.report(B, 0, 500);
  lines.report(B, 500, 500);
  pass(1500);
  lines.report(A, 12_582_912, 104_857_600);
  lines.report(A, 104_857_600, 104_857_600);
  lines.report(A, 104_857_600, 104_857_600);
  lines[Symbol.dispose]();
  expect(text()).toBe('bbbbbbbbbbbb: 500B\naaaaaaaaaaaa: 12.58MB / 104.86MB\naaaaaaaaaaaa: 104.86MB\n');
});

test('on a terminal one line shows the progress of all transfers, and disappears', () => {
  const { lines, text, pass } = record(true);
  lines.report(A, 1_000_000, 2_000_000);
  lines.report(A, 1_100_000, 2_000_000);
  pass(200);
  lines.report(B, 1000, 3000);
  lines.report(B, 3000, 3000);
  lines[Symbol.dispose]();
  expect(text().split('\r\u001B[K')).toEqual([
    'aaaaaaaaaaaa: 1.00MB / 2.00MB',
    'aaaaaaaaaaaa: 1.10MB / 2.00MB  bbbbbbbbbbbb: 1.00kB / 3.00k',
    'bbbbbbbbbbbb: 3.00kB\n',
  ]);
});
