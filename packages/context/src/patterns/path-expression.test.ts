import { expect, test } from 'vitest';
import { compilePathExpression, type Part } from './path-expression.ts';

const PARTS: readonly Part[] = [
  ...['a', 'b', '/', 'é', '😀', String.raw`[^\/]`, '[a-b]', '[a[^b]]', String.raw`\*`, String.raw`\x61`].map(
    (atom) => ({ kind: 'once', atom }) as const,
  ),
  ...[String.raw`[^\/]`, String.raw`[^\n]`, 'a'].map((atom) => ({ kind: 'repeated', atom }) as const),
  { kind: 'directories', atom: String.raw`[^\n]` },
  ...['^', '$', String.raw`\b`, String.raw`\B`].map((atom) => ({ kind: 'assertion', atom }) as const),
];
const CHARACTERS = ['a', 'b', '/', '*', 'é', '😀', '\n'];

test('an expression with many repetitions matches as a regular expression does', () => {
  const random = createRandom(20);
  const counts = { matched: 0, missed: 0 };
  for (let round = 0; round < 20_000; round++) {
    const parts = pick(random, PARTS, 3 + random(6));
    parts.push(...Array.from({ length: random(4) }, () => ({ kind: 'repeated', atom: String.raw`[^\/]` }) as const));
    const path = pick(random, CHARACTERS, random(7)).join('');
    const expected = compileByBacktracking(parts).test(path);
    counts[expected ? 'matched' : 'missed']++;
    if (compilePathExpression(parts).test(path) !== expected)
      expect.fail(`${JSON.stringify(parts)} on ${JSON.stringify(path)} should be ${expected}`);
  }
  expect(Math.min(counts.matched, counts.missed)).toBeGreaterThan(500);
});

function compileByBacktracking(parts: readonly Part[]): RegExp {
  const sources = parts.map(({ kind, atom }) => {
    if (kind === 'directories') return `(${atom}*/)?`;
    return kind === 'repeated' ? `${atom}*` : atom;
  });
  return new RegExp(`^${sources.join('')}$`, 'v');
}

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

function pick<T>(random: (below: number) => number, from: readonly T[], count: number): T[] {
  return Array.from({ length: count }, () => from[random(from.length)] as T);
}
