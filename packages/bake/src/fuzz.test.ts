import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { evaluateText } from '../test/bake.ts';

const CASES = resolve(import.meta.dirname, '../../../fixtures/bake');
const NAMES = ['docker-bake.hcl', 'docker-bake.json', 'compose.yaml'];

const texts = readdirSync(CASES).flatMap((folder) =>
  NAMES.flatMap((name) => {
    const path = join(CASES, folder, name);
    return existsSync(path) ? [{ name, text: readFileSync(path, 'utf8') }] : [];
  }),
);

/** Returns numbers below a limit, the same in every run. */
function numbersFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (state >>> 8) % limit;
  };
}

const PIECES = [
  '"',
  '${',
  '%{',
  '}',
  '{',
  '[',
  ']',
  '(',
  ')',
  '\n',
  '=',
  ',',
  '<<EOT\n',
  '...',
  '*',
  '\\',
  '1e9',
  ' for ',
  ':',
  '?',
  '&a',
  '!',
];

function mutate(text: string, next: (limit: number) => number): string {
  const at = next(text.length + 1);
  const cut = next(4) === 0 ? next(20) : 0;
  const piece = next(3) === 0 ? '' : (PIECES[next(PIECES.length)] ?? '');
  return text.slice(0, at) + piece + text.slice(at + cut);
}

test('a damaged file is evaluated or refused with a message, and never breaks the program', async () => {
  const seconds = Number(process.env.TBUILD_FUZZ_SECONDS ?? 3);
  const next = numbersFrom(1);
  const end = performance.now() + seconds * 1000;
  let count = 0;
  expect(texts.length).toBeGreaterThan(50);
  while (performance.now() < end || count < 50) {
    const { name, text } = texts[next(texts.length)] ?? { name: '', text: '' };
    const damaged = mutate(mutate(text, next), next);
    count++;
    try {
      (await evaluateText(damaged, name)).resolve([], []);
    } catch (error) {
      if (!(error instanceof TbuildError)) throw new Error(`Broken by ${JSON.stringify(damaged)}`, { cause: error });
    }
  }
});
