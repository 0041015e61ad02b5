import { expect, test } from 'vitest';
import { nearName } from './near-name.ts';

test.each([
  ['foo', ['food'], 'food'],
  ['foo', ['fob1'], 'fob1'],
  ['PAHT', ['HOME', 'PATH'], 'PATH'],
  ['foo', ['FOO'], undefined],
  ['Fo', ['FO', 'fo'], 'FO'],
  ['a', ['b', 'c'], 'b'],
  ['a', ['bcd'], undefined],
  ['abc', ['abcdef', 'abcd', 'abcx'], 'abcd'],
])('the suggestion for %j among %j is %j', (name, candidates, expected) => {
  expect(nearName(name, candidates)).toBe(expected);
});
