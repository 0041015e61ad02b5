import { createMemoryStore, fromBytes } from '@tbuild/content';
import { encodeIndex, MediaType, type Descriptor } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { compressStored } from './compress-stored.ts';

test('indexes that name each other many times are read once each', async () => {
  const content = createMemoryStore();
  const config = { mediaType: MediaType.config, ...(await content.write(fromBytes(Buffer.from('{}')))) };
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] }));
  let root: Descriptor = { mediaType: MediaType.manifest, ...(await content.write(fromBytes(manifest))) };
  for (let level = 0; level < 5; level++) {
    const { bytes, descriptor } = encodeIndex(Array.from({ length: 500 }, () => root));
    await content.write(fromBytes(bytes));
    root = descriptor;
  }
  const store = { content, variants: { get: () => undefined, set: () => {}, compressed: () => [] } };
  expect((await compressStored(root, store, { signal: new AbortController().signal })).root).toEqual(root);
});
