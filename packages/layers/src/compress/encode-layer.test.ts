import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '@tbuild/content';
import { digestOf } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
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
