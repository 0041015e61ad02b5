import { expect, test } from 'vitest';
import { parseRegistryMap } from './registry-map.ts';

test.each([
  [['mirror.example'], 'docker.io', ['mirror.example']],
  [['index.docker.io=mirror.example/hub'], 'docker.io', ['mirror.example/hub']],
  [['quay.io=a.example,b.example;ghcr.io=c.example'], 'quay.io', ['a.example', 'b.example']],
  [['quay.io=a.example', 'quay.io=https://b.example/'], 'quay.io', ['a.example', 'b.example']],
  [['quay.io=a.example', ''], 'docker.io', []],
])('%s for %s', (texts, registry, expected) => expect(parseRegistryMap(texts).mirrorsOf(registry)).toEqual(expected));

test('a registry map without a mirror is refused', () => {
  expect(() => parseRegistryMap(['quay.io='])).toThrow(/REGISTRY=MIRROR/);
});

test('a mirror written with http:// is insecure', () => {
  expect(parseRegistryMap(['http://a.example:5000/hub,https://b.example']).insecure).toEqual(['a.example:5000']);
});

test('a mirror that would be read as a name of Docker Hub is refused', () => {
  expect(() => parseRegistryMap(['mirror/hub'])).toThrow('Mirror "mirror/hub" does not name a registry');
});

test('a mirror with a password is refused, and the message omits the password', () => {
  const parse = () => parseRegistryMap(['https://user:s3cret@mirror.example']);
  expect(parse).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }));
});
