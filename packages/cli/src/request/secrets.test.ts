import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readEnvironment } from '../config/environment.ts';
import { parseSecrets } from './secrets.ts';
import { sshSources } from './ssh-sources.ts';

const cwd = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(cwd, { recursive: true }));
writeFileSync(join(cwd, 'file'), 'from file\n');
writeFileSync(join(cwd, 'named'), 'named\n');
mkdirSync(join(cwd, 'directory'));
writeFileSync(join(cwd, 'large'), Buffer.alloc(512_001));

const env = {
  ...readEnvironment(),
  cwd,
  variables: { VALUE: 'from variable', both: 'both', SSH_AUTH_SOCK: '/run/agent' },
};

test.each([
  ['id=a,src=file', 'from file\n'],
  ['id=a,source=file', 'from file\n'],
  ['id=a,type=file,src=file', 'from file\n'],
  ['type=file,src=file,id=a', 'from file\n'],
  ['id=a,env=VALUE', 'from variable'],
  ['id=a,type=env,env=VALUE', 'from variable'],
  ['id=a,type=env,src=VALUE', 'from variable'],
  ['id=a,env=ABSENT', undefined],
])('parseSecrets reads the value of %s', (text, value) => {
  expect(parseSecrets([text], env)('a')?.toString()).toBe(value);
});

test('a secret with an id alone is the variable, else the file of that name', () => {
  expect(parseSecrets(['id=both'], env)('both')?.toString()).toBe('both');
  expect(parseSecrets(['id=named'], env)('named')?.toString()).toBe('named\n');
  expect(parseSecrets(['id=named'], env)('other')).toBeUndefined();
});

test.each(['src=file', 'id=,src=file', 'id=a,src=absent', 'id=a,src=directory', 'id=a,srcs=file', 'id=a,type=vault'])(
  'parseSecrets refuses %s',
  (text) => {
    expect(() => parseSecrets([text], env)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);

test('a secret of more than 500 KiB is refused', () => {
  expect(() => parseSecrets(['id=a,src=large'], env)('a')).toThrow('at most 512000');
});

test('an id of --ssh stands for the agent of the user, a socket or keys', () => {
  expect(sshSources({ default: true, a: cwd, b: ['file', cwd] }, env)).toEqual({
    default: { paths: ['/run/agent'] },
    a: { paths: [cwd] },
    b: { paths: [join(cwd, 'file'), cwd] },
  });
});

test('--ssh without an id, without an agent where one is meant, or with a missing key is refused', () => {
  const usage = expect.objectContaining({ code: 'USAGE' });
  expect(() => sshSources({ default: true }, { ...env, variables: {} })).toThrow(usage);
  expect(() => sshSources({ '': ['file'] }, env)).toThrow(usage);
  expect(() => sshSources({ a: ['file', 'absent'] }, env)).toThrow(usage);
});
