import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore, fromBytes, type Provider } from '@tbuild/content';
import { digestOf, MediaType } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { compressLayer } from './compress-layer.ts';
import { encodeLayer } from './encode-layer.ts';
import { createLayerVariants } from './layer-variants.ts';

const root = mkdtempSync(join(tmpdir(), 'encode-layer-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a layer that cannot be read is not exported with the times it has', async () => {
  const content = createLocalStore(root);
  const digest = digestOf('layer');
  const layer = { descriptor: { mediaType: 'application/x-layer', digest, size: 5 }, diffId: digest };
  const store = { content, variants: createLayerVariants(storeLayout(root)) };
  const encoding = encodeLayer(layer, { latest: 0 }, { from: content, store, signal: new AbortController().signal });
  await expect(encoding).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('exports side by side compress a layer once, and again after a failure', async () => {
  const content = createLocalStore(root);
  const bytes = Buffer.from('archive');
  const digest = digestOf(bytes);
  const layer = { descriptor: { mediaType: MediaType.layer, digest, size: bytes.length }, diffId: digest };
  let reads = 0;
  const from: Provider = {
    has: async () => true,
    async read() {
      if (reads++ === 0) throw new Error('Broken');
      return fromBytes(bytes);
    },
  };
  const compress = () => {
    const store = { content, variants: createLayerVariants(storeLayout(root)) };
    return compressLayer(layer, { compression: 'gzip' }, { from, store, signal: new AbortController().signal });
  };
  await expect(compress()).rejects.toThrow('Broken');
  const [first, second] = await Promise.all([compress(), compress()]);
  expect(second).toBe(first);
  expect(reads).toBe(2);
});
