import { expect, test } from 'vitest';
import { errnoName, firstFailure, TbuildError } from './tbuild-error.ts';

const systemError = (code: string, errno = -1) => Object.assign(new Error(`${code}, open '/x'`), { code, errno });

test.each([
  ['ENOENT', -2, 'ENOENT'],
  ['Unknown system error -122', -122, 'EDQUOT'],
  ['UNKNOWN', -122, 'EDQUOT'],
  ['Unknown system error -116', -116, 'ESTALE'],
])('errnoName of the code %s with the number %i is %s', (code, errno, name) => {
  expect(errnoName(systemError(code, errno))).toBe(name);
});

test('errnoName of other errors is undefined', () => {
  expect([new Error('x'), 'ENOENT', undefined].map(errnoName)).toEqual([undefined, undefined, undefined]);
});

test('firstFailure finds the error that failing clean-ups have covered', async () => {
  const first = new TbuildError('SNAPSHOT', 'Could not remove "x"');
  const failing: Disposable = {
    [Symbol.dispose]() {
      throw systemError('ENOSPC');
    },
  };
  const caught = await Promise.reject(first)
    .catch((error: unknown) => {
      using _one = failing;
      using _two = failing;
      throw error;
    })
    .catch((error: unknown) => error);
  expect(caught).not.toBe(first);
  expect(firstFailure(caught)).toBe(first);
  expect(firstFailure(first)).toBe(first);
});
