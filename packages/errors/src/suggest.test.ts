import { expect, test } from 'vitest';
import { suggest } from './index.ts';

const cases: [word: string, candidates: string[], expected: string | undefined][] = [
  ['biuld', ['base', 'build'], 'build'],
  ['RNU', ['RUN', 'ENV'], 'RUN'],
  ['build', ['test', 'deploy'], undefined],
  ['x', ['y'], 'y'],
];

test.each(cases)('suggest(%j, %j) is %j', (word, candidates, expected) => {
  expect(suggest(word, candidates)).toBe(expected);
});
