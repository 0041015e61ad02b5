import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../test/support/cpu-time.ts';
import { parseCheckOptions } from './check-options.ts';
import { lintDockerfile } from './lint.ts';
import { lintBeforeError, parseDockerfile, parseInstruction } from './parse-dockerfile.ts';

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

  test('uses the given escape character', () => {
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

  test('parses the trigger of an ONBUILD as the original instruction', () => {
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

  test('given options replace those of the file', () => {
    const dockerfile = parseDockerfile(text);
    expect(dockerfile.warnings.map(({ rule }) => rule)).toEqual(['MaintainerDeprecated']);
    const warnings = lintDockerfile(dockerfile, parseCheckOptions('skip=MaintainerDeprecated'));
    expect(warnings.map(({ rule }) => rule)).toEqual(['StageNameCasing']);
    expect(warnings[0]?.url).toBe('https://docs.docker.com/go/dockerfile/rule/stage-name-casing/');
    expect(lintDockerfile(dockerfile, parseCheckOptions('skip=all'))).toEqual([]);
  });

  test.each(['skip', 'skip=a;eror=true', 'error=yes'])('the check option %j is refused', (value) => {
    expect(() => parseCheckOptions(value)).toThrow(/^Invalid check option/);
  });
});

test('the time to parse a Dockerfile is linear in its size', () => {
  const unit = 'RUN echo hello world && foo --bar \\\n  && x\nCOPY --chown=1:1 a b /c\nENV a=b c="d e"\n';
  const timeOf = (bytes: number): number => {
    const text = `FROM a\n${unit.repeat(bytes / unit.length)}`;
    return Math.min(...[1, 2, 3].map(() => cpuTime(() => parseDockerfile(text))));
  };
  timeOf(2 ** 18);
  // Four times the text takes four times as long, or sixteen times if every line is compared with every other.
  expect(timeOf(2 ** 20) / timeOf(2 ** 18)).toBeLessThan(10);
});

const before: [text: string, expected: string[]][] = [
  ['FROM scratch AS Bad\nMAINTAINER me\nBADCMD\nFROM x as y', ['2 MaintainerDeprecated', '1 StageNameCasing']],
  ['# check=skip=StageNameCasing\nFROM scratch AS Bad\nBADCMD', []],
  ['FROM scratch AS Bad\n# check=skip=all\nMAINTAINER me\nCOPY --frm=x a b', ['1 StageNameCasing']],
  ['# escape=x\nFROM scratch AS Bad', []],
  ['FROM scratch\nfrom x AS y', ['2 FromAsCasing']],
  ['FROM scratch\nMAINTAINER', ['2 MaintainerDeprecated']],
  ['FROM scratch\nMAINTAINER me\nCOPY <<EOF /x', ['2 MaintainerDeprecated']],
  ['# check=skip=StageNameCasing // why\nFROM scratch AS Bad\nBADCMD', []],
];

test.each(before)('the warnings before the error in %j are %j', (text, expected) => {
  const found = lintBeforeError(text, 'Dockerfile').map(({ rule, location }) => `${location.start.line} ${rule}`);
  expect(found.toSorted()).toEqual(expected.toSorted());
});

test('the options of a build override those of the file', () => {
  const options = { skip: ['StageNameCasing'], experimental: [], error: false };
  expect(lintBeforeError('FROM scratch AS Bad\nBADCMD', 'Dockerfile', options)).toEqual([]);
});
