import { expect, test } from 'vitest';
import { goBool } from './go-bool.ts';

test.each([
  [['1', 't', 'T', 'true', 'TRUE', 'True'], true],
  [['0', 'f', 'F', 'false', 'FALSE', 'False'], false],
  [['', 'tRUE', 'yes', 'on', ' true', '2', null, undefined], undefined],
])('Go reads %j as %j', (texts, expected) => {
  expect(texts.map(goBool)).toEqual(texts.map(() => expected));
});
