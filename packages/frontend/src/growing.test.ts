import { expect, test } from 'vitest';
import { GrowingList, GrowingMap } from './growing.ts';

test('appending to a list, even twice, leaves the original unchanged', () => {
  const one = new GrowingList<number>().append(1);
  const [two, other] = [one.append(2), one.append(3)];
  expect([one, two, other, two.append(4)].map((list) => list.toArray())).toEqual([[1], [1, 2], [1, 3], [1, 2, 4]]);
});

test('setting a value in a map, even twice, leaves the original unchanged', () => {
  const one = GrowingMap.of([['a', 1]]);
  const two = one.set('b', 2);
  const [three, other] = [two.set('a', 3), two.set('c', 4)];
  expect([one, two, three, other].map((map) => map.get('a'))).toEqual([1, 1, 3, 1]);
  expect([one, three].map((map) => map.get('b'))).toEqual([undefined, 2]);
  expect([one, two, three, other].map((map) => map.byFirst())).toEqual([
    [['a', 1]],
    [
      ['a', 1],
      ['b', 2],
    ],
    [
      ['a', 3],
      ['b', 2],
    ],
    [
      ['a', 1],
      ['b', 2],
      ['c', 4],
    ],
  ]);
  expect(three.byLast()).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
});
