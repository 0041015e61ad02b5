import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { cpuTime } from '../../../test/support/cpu-time.ts';
import { patience } from '../../../test/support/patience.ts';
import { expandWord, parseDockerfile } from './index.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/dockerfiles');

const SECONDS = Number(process.env.TBUILD_FUZZ_SECONDS ?? 3);
const SEED = Number(process.env.TBUILD_FUZZ_SEED ?? 20260);

/** Reading a text of a few kilobytes exceeds this much processor time only if the time grows out of all proportion. */
const HANG = 5_000;

test(
  'mutated Dockerfiles are read or refused, never worse',
  () => {
    const seeds = readdirSync(fixtures)
      .map((name) => readFileSync(join(fixtures, name, 'Dockerfile'), 'utf8'))
      .filter((text) => text.length < 10_000);
    const random = createRandom(SEED);
    const deadline = performance.now() + SECONDS * 1000;
    while (performance.now() < deadline) {
      const text = mutate(seeds, random);
      let failure: unknown;
      const spent = cpuTime(() => (failure = failureOf(() => exercise(text))));
      expect(failure, JSON.stringify(text)).toBeUndefined();
      expect(spent, JSON.stringify(text)).toBeLessThan(HANG);
    }
  },
  (SECONDS * 2000 + 60_000) * patience,
);

/** Parses the text, and expands every line as a word. */
function exercise(text: string): void {
  const { stages } = parseDockerfile(text);
  for (const { instructions } of stages) {
    for (const { line } of instructions) expandWord(line, (name) => (name.length > 1 ? undefined : 'a*b?'));
  }
}

function failureOf(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof TbuildError)) return error;
    if (error.code === 'DOCKERFILE_SYNTAX' && error.location === undefined) return 'no location';
    return undefined;
  }
}

const FRAGMENTS = [
  '\n',
  '\\\n',
  '`',
  '\\',
  '"',
  "'",
  '$',
  '${',
  '}',
  '${a:-',
  '${a//',
  '<<A',
  '<<-',
  '\nA\n',
  '[',
  ']',
  '["a"]',
  '--',
  '--x=',
  '=',
  ' ',
  '\t',
  '\r\n',
  '#',
  '# check=',
  '# escape=`\n',
  'FROM ',
  'RUN ',
  'ONBUILD ',
  'ENV ',
  '\u00a0',
  '\ufeff',
  '\ud83d',
  '😀',
  '\0',
];

function mutate(seeds: readonly string[], random: (below: number) => number): string {
  let text = pick(seeds, random);
  for (let edits = 1 + random(6); edits > 0; edits--) {
    const at = random(text.length + 1);
    const kind = random(4);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + 1 + random(8));
    else if (kind === 1) text = text.slice(0, at) + pick(FRAGMENTS, random).repeat(1 + random(3)) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + pick(seeds, random).slice(random(40));
    else text = text.slice(0, at) + text.slice(random(text.length + 1));
  }
  return text;
}

function pick(items: readonly string[], random: (below: number) => number): string {
  return items[random(items.length)] ?? '';
}

/** A linear congruential generator, so that failures can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
