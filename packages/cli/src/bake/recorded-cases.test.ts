import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bake } from '../commands/bake.ts';
import type { Environment } from '../config/environment.ts';

const CASES = resolve(import.meta.dirname, '../../../../fixtures/bake');

const textIn = (name: string, file: string): string | undefined => {
  const path = join(CASES, name, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

const linesIn = (name: string, file: string): readonly string[] =>
  (textIn(name, file) ?? '').split('\n').filter((line) => line !== '');

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

async function run(name: string): Promise<Ran> {
  const given = linesIn(name, 'args');
  const argv = given.some((word) => word.startsWith('--list')) ? given : ['--print', ...given];
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const env: Environment = {
    variables: {
      HOME: '/nonexistent',
      SSH_AUTH_SOCK: '/nonexistent/agent',
      ...Object.fromEntries(linesIn(name, 'env').map((line) => line.split(/=(.*)/s, 2))),
    },
    cwd: join(CASES, name),
    uid: 0,
    inUserNamespace: false,
    owner: { uid: 0, gid: 0 },
    stdout,
    stderr,
    stdin: Readable.from([Buffer.from(textIn(name, 'stdin') ?? '')]),
  };
  const code = await bake.run(argv, env);
  return { code, output: String(stdout.read() ?? ''), errors: String(stderr.read() ?? '') };
}

const names = readdirSync(CASES).filter((name) => statSync(join(CASES, name)).isDirectory());

test('there are cases', () => {
  expect(names.length).toBeGreaterThan(50);
});

test.each(names)('bake --print answers the recorded case %s as buildx does', async (name) => {
  const { code, output, errors } = await run(name);
  expect({ code, errors: code === 0 ? '' : errors }).toEqual({
    code: Number(textIn(name, 'exit')),
    errors: code === 0 ? '' : expect.stringMatching(/^ERROR: /m),
  });
  expect(output).toBe(textIn(name, 'expected.json') ?? '');
});
