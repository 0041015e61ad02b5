import { expect, test } from 'vitest';
import { chooseProxy } from './choose-proxy.ts';

const proxies = { http: 'http://plain.example:3128', https: 'http://tls.example:3128' };
const direct = (none: string | undefined, url: string): boolean =>
  chooseProxy({ ...proxies, none })(new URL(url)) === undefined;

test.each([
  ['10.0.0.0/8', 'https://10.1.2.3', true],
  ['10.0.0.0/8', 'https://11.1.2.3', false],
  ['a.example,192.168.7.0/24', 'https://192.168.7.9', true],
  ['fd00::/8', 'https://[fd12::1]', true],
  ['fd00::/8', 'https://[fe80::1]', false],
  ['10.0.0.0/8', 'https://ten.example', false],
  ['10.0.0.0/99', 'https://10.0.0.1', false],
  ['10.0.0.1', 'https://10.0.0.1', true],
  ['fd12::1', 'https://[fd12::1]:5000', true],
  ['10.0.0.1:5000', 'https://10.0.0.1:5000', true],
  ['10.0.0.1:5000', 'https://10.0.0.1', false],
  ['0.0.1', 'https://10.0.0.1', false],
  ['corp.example', 'https://corp.example', true],
  ['corp.example', 'https://registry.corp.example', true],
  ['corp.example', 'https://notcorp.example', false],
  ['.corp.example', 'https://registry.corp.example', true],
  ['.corp.example', 'https://corp.example', false],
  ['*.corp.example', 'https://registry.corp.example:5000', true],
  ['Corp.Example', 'https://corp.example', true],
  ['corp.example:5000', 'https://corp.example:5000', true],
  ['corp.example:5000', 'https://corp.example', false],
  ['corp.example:443', 'https://corp.example', true],
  ['other.example corp.example', 'https://corp.example', true],
  ['*', 'https://corp.example', true],
  ['', 'https://corp.example', false],
  [undefined, 'https://10.0.0.1', false],
  [undefined, 'http://localhost:5000', true],
  [undefined, 'http://127.0.0.1:5000', true],
  [undefined, 'http://[::1]:5000', true],
])('NO_PROXY=%s makes %s direct: %s', (none, url, expected) => expect(direct(none, url)).toBe(expected));

test.each([
  ['https://a.example', proxies, 'http://tls.example:3128/'],
  ['http://a.example', proxies, 'http://plain.example:3128/'],
  ['https://a.example', { http: proxies.http }, undefined],
  ['https://a.example', { https: '' }, undefined],
  ['https://a.example', { https: 'proxy.example:3128' }, 'http://proxy.example:3128/'],
  ['https://a.example', { https: 'https://u:p@proxy.example' }, 'https://u:p@proxy.example/'],
])('the URL %s with the proxies %o uses %s', (url, options, expected) =>
  expect(chooseProxy(options)(new URL(url))?.href).toBe(expected),
);

test.each(['http://user:s3cret@:99999', 'ftp://user:s3cret@proxy.example', 'user:s3cret@pro xy'])(
  'what is no proxy is refused, without its password: %s',
  (https) => {
    const choose = () => chooseProxy({ https })(new URL('https://a.example'));
    expect(choose).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }));
  },
);
