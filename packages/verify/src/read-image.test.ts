import { createMemoryStore, fromBytes } from '@tbuild/content';
import { encodeIndex, MediaType, type Descriptor } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { platformsOf } from './read-image.ts';

test('indexes that name each other many times are read once each', async () => {
  const content = createMemoryStore();
  const platform = { os: 'linux', architecture: 'amd64' };
  const image = { mediaType: MediaType.manifest, ...(await content.write(fromBytes(Buffer.from('{}')))), platform };
  let root: Descriptor = image;
  for (let level = 0; level < 5; level++) {
    const { bytes, descriptor } = encodeIndex(Array.from({ length: 500 }, () => root));
    await content.write(fromBytes(bytes));
    root = descriptor;
  }
  expect(await platformsOf({ name: 'app', root, content }, new AbortController().signal)).toEqual([platform]);
});
