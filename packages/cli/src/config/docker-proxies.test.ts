import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { proxyArgs } from './docker-proxies.ts';

const proxies = {
  default: {
    httpProxy: 'http://p:1',
    httpsProxy: 'http://p:2',
    noProxy: '*.test',
    ftpProxy: '',
    allProxy: 'socks://p',
  },
  'tcp://build:2375': { httpProxy: 'http://q:1' },
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'proxies-'));
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ proxies }));
});
afterAll(() => rmSync(directory, { recursive: true }));

const ALL = { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://p:2', NO_PROXY: '*.test', ALL_PROXY: 'socks://p' };
const { HTTP_PROXY: _, ...OTHERS } = ALL;

test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, object]>([
  ['are those of "default"', {}, {}, ALL],
  [
    'are those of the daemon that DOCKER_HOST names',
    { DOCKER_HOST: 'tcp://build:2375' },
    {},
    { HTTP_PROXY: 'http://q:1' },
  ],
  ['are those of "default" for another daemon', { DOCKER_HOST: 'tcp://other:2375' }, {}, ALL],
  ['give way to a build argument in lower case', {}, { http_proxy: '' }, OTHERS],
  ['are none without a configuration', { DOCKER_CONFIG: '/no/such/directory' }, {}, {}],
])('the proxies of config.json %s', (_title, variables, given, expected) => {
  expect(proxyArgs(given, { variables: { DOCKER_CONFIG: directory, ...variables } })).toEqual(expected);
});
