import { expect, test } from 'vitest';
import { getOrMake } from './get-or-make.ts';

test('getOrMake gives everybody the promise that the first one made', async () => {
  const map = new Map<string, Promise<number>>();
  let made = 0;
  const get = (key: string): Promise<number> => getOrMake(map, key, async () => ++made);
  expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual([1, 1, 2]);
  expect(await get('a')).toBe(1);
});

test('getOrMake keeps a rejected promise', async () => {
  const map = new Map<string, Promise<number>>();
  const failed = getOrMake(map, 'a', () => Promise.reject(new Error('first')));
  await expect(failed).rejects.toThrow('first');
  await expect(getOrMake(map, 'a', async () => 2)).rejects.toThrow('first');
});
