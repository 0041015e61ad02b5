import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProcess } from './run-process.ts';

const run = (program: string, ...args: string[]) =>
  runProcess(process.execPath, [join(import.meta.dirname, '..', program, 'run.mjs'), ...args]);

test.each(['faults', 'bench'])('%s --help prints how to use it', async (program) => {
  const { exitCode, stdout, stderr } = await run(program, '--help');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: npm run [^\n]+\n$/);
});

test.each([
  ['an unknown option', ['--round', '3'], /^Unknown option '--round'.*\nUsage: npm run bench -- [^\n]+\n$/],
  ['a number that is none', ['--rounds', 'many'], /^--rounds takes a number, got "many"\n$/],
])('%s ends a program for developers with 2', async (_, args, message) => {
  const { exitCode, stderr } = await run('bench', ...args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
