import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { lgetxattr } from '@tbuild/linux';
import { expect, test } from 'vitest';
import { exitCodeOf, formatError } from './report-error.ts';

const options = { debug: false, sourceOf: () => 'FROM busybox\n\nRNU make\nCOPY a b\n' };
const location = { file: 'Dockerfile', start: { line: 3, column: 1 }, end: { line: 3, column: 4 } };

test('an error with a place shows the lines around it and underlines the word', async () => {
  const error = new TbuildError('DOCKERFILE_SYNTAX', 'unknown instruction: RNU', {
    location,
    hint: 'Did you mean RUN?',
  });
  expect(await formatError(error, options)).toBe(`Dockerfile:3:1
--------------------
   1 |     FROM busybox
   2 |
   3 | >>> RNU make
     |     ^^^
   4 |     COPY a b
   5 |
--------------------
ERROR: unknown instruction: RNU
hint: Did you mean RUN?
`);
});

test('an instruction of several lines is marked as a whole', async () => {
  const whole = { ...location, start: { line: 3, column: 1 }, end: { line: 4, column: 9 } };
  expect(await formatError(new TbuildError('PROCESS_FAILED', 'it failed', { location: whole }), options)).toContain(
    '   3 | >>> RNU make\n     |     ^^^\n   4 | >>> COPY a b\n',
  );
});

test('causes and stack traces are shown only for debugging', async () => {
  const error = new TbuildError('REGISTRY', 'Cannot pull', { cause: new Error('connection reset') });
  expect(await formatError(error, options)).toBe('ERROR: Cannot pull\n');
  expect(await formatError(error, { ...options, debug: true })).toContain('caused by: Error: connection reset');
});

test.each([
  [new TbuildError('USAGE', ''), 2],
  [new TbuildError('CANCELLED', ''), 130],
  [new TbuildError('PROCESS_FAILED', ''), 1],
  [new Error('a defect'), 1],
])('the exit code of %s is %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test('the report of a cancelled build has no place, since that would be accidental', async () => {
  expect(await formatError(new TbuildError('CANCELLED', 'Build was cancelled', { location }), options)).toBe(
    'ERROR: Build was cancelled\n',
  );
});

const refusals: [name: string, refused: () => unknown, message: string][] = [
  ['a missing file', () => readFileSync('/dev/null.gone'), 'Cannot open "/dev/null.gone": no such file or directory'],
  ['a directory for a file', () => readFileSync('/'), 'Cannot read: illegal operation on a directory'],
  [
    'a rename',
    () => renameSync('/dev/gone/a', '/dev/gone/b'),
    'Cannot rename "/dev/gone/a" to "/dev/gone/b": no such file or directory',
  ],
  ['a full device', () => writeFileSync('/dev/full', 'x'), 'Cannot write: no space left on device'],
  [
    'a call of our own',
    () => lgetxattr('/dev/gone', 'user.x'),
    'Cannot lgetxattr "/dev/gone": no such file or directory',
  ],
];

test.each(refusals)('a refusal by the system is a sentence with a hint: %s', async (_name, refused, message) => {
  const text = await formatError(errorOf(refused), options);
  expect(text).toMatch(new RegExp(`^ERROR: ${message}\nhint: .+\n$`));
});

test('the report of an unexpected error asks for a bug report and has no stack trace', async () => {
  const text = await formatError(new TypeError('x is not a function'), options);
  expect(text).toBe(
    'ERROR: Internal error: x is not a function\n' +
      'hint: Report this defect of tbuild, with the output of the same command with --debug\n',
  );
});

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail');
}

test('a failure of a disk names the store, once', async () => {
  const cause = Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', errno: -5, syscall: 'write' });
  const store = '/var/lib/tbuild';
  const known = { ...options, store };
  const error = new TbuildError('SNAPSHOT', 'Could not extract layer x: input/output error', { cause });
  expect(await formatError(error, known)).toBe(`ERROR: ${error.message}\nstore: "${store}"\n`);
  expect(await formatError(cause, known)).toMatch(
    /^ERROR: Cannot write: i\/o error\nhint: .*\nstore: "\/var\/lib\/tbuild"\n$/,
  );
  const naming = new TbuildError('SNAPSHOT', `Cannot read "${store}/blobs"`, { cause });
  expect(await formatError(naming, known)).not.toContain('store: ');
});
