import { expect, test } from 'vitest';
import { parseRegistryMap } from './registry-map.ts';

test.each([
  [['mirror.example'], 'docker.io', ['mirror.example']],
  [['index.docker.io=mirror.example/hub'], 'docker.io', ['mirror.example/hub']],
  [['quay.io=a.example,b.example;ghcr.io=c.example'], 'quay.io', ['a.example', 'b.example']],
  [['quay.io=a.example', 'quay.io=https://b.example/'], 'quay.io', ['a.example', 'b.example']],
  [['quay.io=a.example', ''], 'docker.io', []],
])('%s for %s', (texts, registry, expected) => expect(parseRegistryMap(texts)(registry)).toEqual(expected));

test('a map without a mirror is refused', () => {
  expect(() => parseRegistryMap(['quay.io='])).toThrow(/REGISTRY=MIRROR/);
});
