import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { describe, expect, test } from 'vitest';
import { expandWord } from './expand-word.ts';
import { lintDockerfile } from './lint.ts';
import { parseCheckOptions } from './check-options.ts';
import { parseDockerfile, parseInstruction } from './parse-dockerfile.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/dockerfiles');
const options = { file: 'trigger of app', escape: '\\' } as const;

describe('parseInstruction', () => {
  test('reads a trigger with its heredocs', () => {
    const run = parseInstruction('RUN <<A\nx\nA', { ...options, line: 7 });
    expect(run).toMatchObject({ kind: 'run', heredocs: [{ name: 'A', content: 'x\n' }] });
    expect(run.location).toEqual({
      file: 'trigger of app',
      start: { line: 7, column: 1 },
      end: { line: 9, column: 2 },
    });
  });

  test('heeds the escape character', () => {
    expect(parseInstruction('RUN a `\n b', { ...options, escape: '`' })).toMatchObject({ command: { text: 'a  b' } });
  });

  test.each([
    ['', 'A trigger must be a single instruction'],
    ['RUN a\nRUN b', 'A trigger must be a single instruction'],
    ['FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['FOO', 'Unknown instruction: FOO'],
  ])('refuses %j', (text, message) => {
    expect(() => parseInstruction(text, options)).toThrow(message);
  });

  test('a trigger kept by ONBUILD reads as the instruction it was', () => {
    const { stages } = parseDockerfile('FROM a\nONBUILD COPY <<-"x" <<y /d\n\t\t1\n\tx\n2\ny\n');
    const [onbuild] = stages[0]?.instructions ?? [];
    const trigger = onbuild?.kind === 'onbuild' ? onbuild.trigger : '';
    expect(parseInstruction(trigger, options)).toMatchObject({
      heredocs: [
        { name: 'x', content: '1\n', expand: false },
        { name: 'y', content: '2\n', expand: true },
      ],
    });
  });
});

describe('checks', () => {
  const text = '# check=skip=StageNameCasing\nFROM scratch AS A\nMAINTAINER x\n';

  test('options given replace those of the file', () => {
    const dockerfile = parseDockerfile(text);
    expect(dockerfile.warnings.map(({ rule }) => rule)).toEqual(['MaintainerDeprecated']);
    const warnings = lintDockerfile(dockerfile, parseCheckOptions('skip=MaintainerDeprecated'));
    expect(warnings.map(({ rule }) => rule)).toEqual(['StageNameCasing']);
    expect(warnings[0]?.url).toBe('https://docs.docker.com/go/dockerfile/rule/stage-name-casing/');
    expect(lintDockerfile(dockerfile, parseCheckOptions('skip=all'))).toEqual([]);
  });

  test.each(['skip', 'skip=a;eror=true', 'error=yes'])('%j is refused', (value) => {
    expect(() => parseCheckOptions(value)).toThrow(/^Invalid check option/);
  });
});

test('a megabyte is read in a moment', () => {
  const unit = 'RUN echo hello world && foo --bar \\\n  && x\nCOPY --chown=1:1 a b /c\nENV a=b c="d e"\n';
  const big = `FROM a\n${unit.repeat(2 ** 20 / unit.length)}`;
  parseDockerfile(big);
  const started = performance.now();
  parseDockerfile(big);
  // 0.13 s on the slowest machine tried; the bound only catches a change of complexity.
  expect(performance.now() - started).toBeLessThan(1_500);
});

test('mutated Dockerfiles are read or refused, never worse', () => {
  const seeds = readdirSync(fixtures)
    .map((name) => readFileSync(join(fixtures, name, 'Dockerfile'), 'utf8'))
    .filter((text) => text.length < 10_000);
  const random = createRandom(20260);
  const deadline = performance.now() + 3_000;
  for (let round = 0; round < 40_000 && performance.now() < deadline; round++) {
    const text = mutate(seeds, random);
    const started = performance.now();
    expect(
      failureOf(() => exercise(text)),
      JSON.stringify(text),
    ).toBeUndefined();
    expect(performance.now() - started, JSON.stringify(text)).toBeLessThan(1_000);
  }
});

/** Parses, and expands every line as if it were a word. */
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

/** A linear congruential generator, so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
