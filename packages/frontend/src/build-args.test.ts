import { parseDockerfile } from '@tbuild/dockerfile';
import { expect, test } from 'vitest';
import { globalScope, proxyEnv } from './build-args.ts';
import { variable } from './environment.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const armv7 = { os: 'linux', architecture: 'arm', variant: 'v7' };

const scopes: [text: string, buildArgs: Record<string, string>, name: string, value: string | undefined][] = [
  ['FROM a', {}, 'TARGETPLATFORM', 'linux/arm/v7'],
  ['FROM a', {}, 'TARGETOS', 'linux'],
  ['FROM a', {}, 'TARGETARCH', 'arm'],
  ['FROM a', {}, 'TARGETVARIANT', 'v7'],
  ['FROM a', {}, 'BUILDPLATFORM', 'linux/amd64'],
  ['FROM a', {}, 'BUILDVARIANT', ''],
  ['FROM a', {}, 'TARGETSTAGE', 'default'],
  ['FROM a AS Web', {}, 'TARGETSTAGE', 'web'],
  ['FROM a', { TARGETARCH: 'mine' }, 'TARGETARCH', 'mine'],
  ['ARG V=1\nFROM a', {}, 'V', '1'],
  ['ARG V=1\nFROM a', { V: '2' }, 'V', '2'],
  ['ARG V\nFROM a', {}, 'V', undefined],
  ['ARG V\nFROM a', { V: '' }, 'V', ''],
  ['ARG V=1 W=$V-$TARGETARCH\nFROM a', {}, 'W', '1-arm'],
  ['ARG TARGETARCH\nFROM a', {}, 'TARGETARCH', 'arm'],
  ['ARG W=${X:?no}\nFROM a', { W: 'given' }, 'W', 'given'],
  ['FROM a', { V: '2' }, 'V', undefined],
];

test.each(scopes)('in %j with the build arguments %j, %s is %j', (text, buildArgs, name, value) => {
  const scope = globalScope(parseDockerfile(text), { platform: armv7, buildPlatform: amd64, buildArgs });
  expect(variable(scope, name)).toBe(value);
});

test('TARGETSTAGE is the requested target', () => {
  const options = { platform: armv7, buildPlatform: amd64, buildArgs: {}, target: 'Test' };
  expect(variable(globalScope(parseDockerfile('FROM a AS test\nFROM b'), options), 'TARGETSTAGE')).toBe('Test');
});

const proxies: [buildArgs: Record<string, string>, env: string[]][] = [
  [{}, []],
  [{ HTTP_PROXY: 'http://p' }, ['HTTP_PROXY=http://p', 'http_proxy=http://p']],
  [{ no_proxy: 'x', https_proxy: '' }, ['NO_PROXY=x', 'no_proxy=x']],
  [{ HTTP_PROXY: 'upper', http_proxy: 'lower' }, ['HTTP_PROXY=lower', 'http_proxy=lower']],
];

test.each(proxies)('the proxy variables of the build arguments %j are %j', (buildArgs, env) => {
  expect(proxyEnv(buildArgs)).toEqual(env);
});
