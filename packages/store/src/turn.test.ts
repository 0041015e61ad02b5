import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { takeTurn } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'turn-'));
afterAll(() => rmSync(directory, { recursive: true }));
const { signal } = new AbortController();
const refuse = (): never => expect.unreachable();

test('many takers have a turn one at a time, and the file is gone afterwards', async () => {
  const path = join(directory, 'many/turn');
  let [now, most] = [0, 0];
  const take = async (): Promise<void> => {
    using _turn = await takeTurn(path, { signal, onWait() {} });
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
  };
  await Promise.all(Array.from({ length: 30 }, take));
  expect(most).toBe(1);
  expect(readdirSync(join(directory, 'many'))).toEqual([]);
});

test('a taker that waits learns once which process has the turn', async () => {
  const path = join(directory, 'turn');
  const first = await takeTurn(path, { signal, onWait: refuse });
  const holders: string[] = [];
  const second = takeTurn(path, { signal, onWait: (holder) => void holders.push(holder) });
  await expect.poll(() => holders).toEqual([String(process.pid)]);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  expect(holders).toHaveLength(1);
});

test('an abort ends the wait', async () => {
  const path = join(directory, 'aborted');
  using _turn = await takeTurn(path, { signal, onWait: refuse });
  const own = new AbortController();
  await expect(takeTurn(path, { signal: own.signal, onWait: () => own.abort() })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});
