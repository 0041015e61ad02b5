import { expect, test } from 'vitest';
import { compilePathExpression } from './path-expression.ts';

const ATOMS = [
  'a',
  'b',
  '/',
  'é',
  '😀',
  '[^/]',
  '[a-b]',
  '.',
  String.raw`\*`,
  String.raw`\x61`,
  '[^/]*',
  '.*',
  '(.*/)?',
  'a*',
  '^',
];
const CHARACTERS = ['a', 'b', '/', '*', 'é', '😀', '\n'];

test.each(['u', 'su', ''])(
  'an expression with many repetitions matches as a regular expression with the flags %j does',
  (flags) => {
    const random = createRandom(20);
    const counts = { matched: 0, missed: 0 };
    for (let round = 0; round < 20_000; round++) {
      const source = pick(random, ATOMS, 3 + random(6)) + '[^/]*[^/]*[^/]*'.slice(0, 5 * random(4));
      const path = pick(random, CHARACTERS, random(7));
      const expected = new RegExp(`^${source}$`, flags).test(path);
      counts[expected ? 'matched' : 'missed']++;
      if (compilePathExpression(source, flags).test(path) !== expected)
        expect.fail(`${source} on ${JSON.stringify(path)} should be ${expected}`);
    }
    expect(Math.min(counts.matched, counts.missed)).toBeGreaterThan(500);
  },
);

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

function pick(random: (below: number) => number, from: readonly string[], count: number): string {
  return Array.from({ length: count }, () => from[random(from.length)]).join('');
}
