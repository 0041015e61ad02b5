import { expect, test } from 'vitest';
import { withPauses } from './pauses.ts';

function* endless(): Generator<number, void> {
  for (let count = 0; ; count++) yield count;
}

test('withPauses lets an abort that happens in between end the iteration', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  setImmediate(() => controller.abort(reason));
  const iterate = async (): Promise<void> => {
    for await (const _ of withPauses(endless(), controller.signal)) continue;
  };
  await expect(iterate()).rejects.toBe(reason);
});

test('withPauses yields every item in order', async () => {
  const items: number[] = [];
  for await (const item of withPauses([1, 2, 3])) items.push(item);
  expect(items).toEqual([1, 2, 3]);
});
