import { TbuildError } from '@tbuild/errors';
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

test('causes are shown for debugging only, and nobody sees a stack trace unasked', async () => {
  const error = new TbuildError('REGISTRY', 'Cannot pull', { cause: new Error('connection reset') });
  expect(await formatError(error, options)).toBe('ERROR: Cannot pull\n');
  expect(await formatError(error, { ...options, debug: true })).toContain('caused by: Error: connection reset');
  expect(
    await formatError(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }), options),
  ).toBe('ERROR: The disk is full: ENOSPC: no space left on device, write\n');
  expect(await formatError(new TypeError('x is not a function'), options)).not.toContain('at ');
});

test.each([
  [new TbuildError('USAGE', ''), 2],
  [new TbuildError('CANCELLED', ''), 130],
  [new TbuildError('PROCESS_FAILED', ''), 1],
  [new Error('a defect'), 1],
])('exit code of %s is %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
