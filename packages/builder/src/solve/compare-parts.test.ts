import { expect, test } from 'vitest';
import { compareParts, type PartChange } from './compare-parts.ts';

const pairs = (text: string): [string, string][] =>
  text.split(' ').flatMap((part) => (part === '' ? [] : [[part.slice(0, 1), part.slice(1)]]));

const cases: [before: string, now: string, changes: PartChange[]][] = [
  ['a1 b1 c1', 'a1 b1 c1', []],
  ['a1 b1 c1', 'a1 b2 c1', [{ name: 'b', before: '1', now: '2' }]],
  ['a1 c1 d1', 'a1 b1 c1 d1', [{ name: 'b', now: '1' }]],
  [
    'a1 b1 c1 d1',
    'a1 c1 d2',
    [
      { name: 'd', before: '1', now: '2' },
      { name: 'b', before: '1' },
    ],
  ],
  ['a1 b1', 'b1 a1', []],
  ['a1 a1 b1', 'a1 a1 b2', [{ name: 'b', before: '1', now: '2' }]],
  ['', 'a1', [{ name: 'a', now: '1' }]],
  ['a1', '', [{ name: 'a', before: '1' }]],
];

test.each(cases)('Comparing the key parts %s with %s gives the changes', (before, now, changes) => {
  const compared = compareParts(pairs(before), pairs(now));
  expect([...compared]).toEqual(pairs(now));
  expect(compared.changes).toEqual(changes);
});
