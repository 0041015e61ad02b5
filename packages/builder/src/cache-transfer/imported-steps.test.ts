import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore, readWhole } from '@tbuild/content';
import { LostLayer } from '@tbuild/layers';
import { digestOf, layerMediaType } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { createImportedSteps } from './imported-steps.ts';

const root = mkdtempSync(join(tmpdir(), 'imported-steps-'));
afterAll(() => rmSync(root, { recursive: true }));

test('Reading a layer that neither the store nor a cache has throws LostLayer, so that its step runs again', async () => {
  const { layers } = createImportedSteps({ store: storeLayout(root), content: createLocalStore(root) });
  const gone = { mediaType: layerMediaType('uncompressed'), digest: digestOf('gone'), size: 4 };
  const { signal } = new AbortController();
  await expect(readWhole(layers.provider, gone, signal)).rejects.toBeInstanceOf(LostLayer);
});
