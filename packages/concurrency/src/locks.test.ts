import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLocks } from './locks.ts';

test('a lock waits until all of its names are free', async () => {
  const locks = createLocks();
  const first = await locks.acquire(['a', 'b']);
  let taken = false;
  const second = locks.acquire(['c', 'b']).then((lock) => {
    taken = true;
    return lock;
  });
  await nextTurn();
  expect(taken).toBe(false);
  first[Symbol.dispose]();
  using _second = await second;
  using _free = await locks.acquire(['a']);
});

test('locks that name the same things in another order do not wait for each other', async () => {
  const locks = createLocks();
  const take = async (names: readonly string[]): Promise<void> => {
    using _lock = await locks.acquire(names);
    await nextTurn();
  };
  await Promise.all([take(['a', 'b']), take(['b', 'a']), take(['a', 'b', 'a'])]);
  using _free = await locks.acquire(['a', 'b']);
});
