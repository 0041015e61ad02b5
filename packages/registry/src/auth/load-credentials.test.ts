import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { afterAll, expect, test } from 'vitest';
import type { CredentialFile } from '../index.ts';
import { loadCredentials } from './load-credentials.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-credentials-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const config = (document: object): CredentialFile => ({ name: 'test', text: JSON.stringify(document) });
const noHelper = async (): Promise<never> => {
  throw new Error('no helper expected');
};
const find = (files: CredentialFile[], registry: string, repository = 'team/app') =>
  loadCredentials({ files, runHelper: noHelper })(registry, repository);
const user = (username: string) => ({ kind: 'password', username, password: 'p:w' });
const auth = (username: string) => ({ auth: base64(`${username}:p:w`) });

test.each([
  ['host', { 'reg.test:5000': auth('a') }, 'reg.test:5000', user('a')],
  ['host with scheme and path', { 'https://reg.test/v2/': auth('a') }, 'reg.test', user('a')],
  ['Docker Hub by its old name', { 'https://index.docker.io/v1/': auth('hub') }, 'docker.io', user('hub')],
  [
    'the most specific path',
    { 'reg.test': auth('a'), 'reg.test/team': auth('b'), 'reg.test/team/app': auth('c') },
    'reg.test',
    user('c'),
  ],
  [
    'a path above',
    { 'reg.test': auth('a'), 'reg.test/team': auth('b'), 'reg.test/tea': auth('c') },
    'reg.test',
    user('b'),
  ],
  ['another host', { 'reg.test': auth('a') }, 'reg.test:5000', undefined],
  ['an entry without content', { 'reg.test': {} }, 'reg.test', undefined],
  [
    'an identity token',
    { 'reg.test': { ...auth('a'), identitytoken: 'refresh' } },
    'reg.test',
    { kind: 'identity-token', token: 'refresh' },
  ],
  [
    'a registry token',
    { 'reg.test': { registrytoken: 'access' } },
    'reg.test',
    { kind: 'registry-token', token: 'access' },
  ],
])('the credential is found: %s', async (_, auths, registry, expected) => {
  expect(await find([config({ auths })], registry)).toEqual(expected && { ...expected, from: 'test' });
});

test('the first file with a credential wins, and absent files are skipped', async () => {
  const path = join(scratch, 'config.json');
  writeFileSync(path, JSON.stringify({ auths: { 'reg.test': auth('file'), 'other.test': auth('other') } }));
  const files = [
    { path: join(scratch, 'absent/config.json') },
    config({ auths: { 'reg.test': auth('text') } }),
    { path },
  ];
  expect(await find(files, 'reg.test')).toEqual({ ...user('text'), from: 'test' });
  expect(await find(files, 'other.test')).toEqual({ ...user('other'), from: path });
});

test('helpers take precedence over the file, each for its registry', async () => {
  const calls: string[][] = [];
  const answers: Readonly<Record<string, string>> = {
    'https://index.docker.io/v1/': '{"ServerURL":"x","Username":"hub","Secret":"p:w"}',
    'reg.test': '{"Username":"<token>","Secret":"refresh"}',
  };
  const source = loadCredentials({
    files: [
      config({
        auths: { 'third.test': auth('file'), 'reg.test': auth('file') },
        credHelpers: { 'reg.test': 'special' },
        credsStore: 'all',
      }),
    ],
    runHelper: async (program, args, input) => {
      calls.push([program, ...args, input]);
      return { exitCode: answers[input] ? 0 : 1, stdout: answers[input] ?? 'credentials not found in native keychain' };
    },
  });
  expect(calls).toEqual([]);
  expect(await source('docker.io', 'library/nginx')).toEqual({ ...user('hub'), from: 'docker-credential-all (test)' });
  expect(await source('reg.test', 'a')).toEqual({
    kind: 'identity-token',
    token: 'refresh',
    from: 'docker-credential-special (test)',
  });
  expect(await source('third.test', 'a')).toEqual({ ...user('file'), from: 'test' });
  await source('third.test', 'a');
  expect(calls).toEqual([
    ['docker-credential-all', 'get', 'https://index.docker.io/v1/'],
    ['docker-credential-special', 'get', 'reg.test'],
    ['docker-credential-all', 'get', 'third.test'],
  ]);
});

test.each([
  [
    'says why',
    { exitCode: 1, stdout: 'token has expired\nsecond line', stderr: '' },
    /failed for reg\.test: token has expired$/,
  ],
  ['says why elsewhere', { exitCode: 1, stdout: '', stderr: 'no session\n' }, /failed for reg\.test: no session$/],
  ['says nothing', { exitCode: 3, stdout: '' }, /failed for reg\.test: exit code 3$/],
  ['answers nonsense', { exitCode: 0, stdout: 'hello' }, /returned invalid JSON$/],
])('a helper fails and %s', async (_, answer, message) => {
  const source = loadCredentials({ files: [config({ credsStore: 'all' })], runHelper: async () => answer });
  await expect(source('reg.test', 'a')).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringMatching(message),
  });
});

test('a helper that never answers is reported', async () => {
  const runHelper = async (): Promise<never> => {
    throw new TbuildError('CANCELLED', 'too long');
  };
  const source = loadCredentials({ files: [config({ credHelpers: { 'reg.test': 'slow' } })], runHelper });
  await expect(source('reg.test', 'a')).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: 'Credential helper "docker-credential-slow" does not answer',
  });
});

test('an invalid configuration is reported', async () => {
  await expect(async () => find([{ name: 'DOCKER_AUTH_CONFIG', text: '{' }], 'reg.test')).rejects.toMatchObject({
    code: 'USAGE',
    message: 'Credentials in DOCKER_AUTH_CONFIG are not valid JSON',
  });
  await expect(async () =>
    find([config({ auths: { 'reg.test': { auth: 'nonsense' } } })], 'reg.test'),
  ).rejects.toMatchObject({
    code: 'USAGE',
    message: '"auth" in test, entry "reg.test" is not the base64 of USER:PASSWORD',
  });
  await expect(find([config({ credsStore: 'desktop' })], 'reg.test')).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: 'Credential helper "docker-credential-desktop" cannot be run',
    hint: 'Install it, or remove it from test',
  });
});
