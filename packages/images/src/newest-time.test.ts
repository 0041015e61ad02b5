import { createMemoryStore, fromBytes } from '@tbuild/content';
import { describeBytes, encodeDocument, MediaType, type Manifest } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { newestTime } from './newest-time.ts';

test.each([
  [['2026-01-02T03:04:05Z'], Date.UTC(2026, 0, 2, 3, 4, 5)],
  [['2026-01-02T03:04:05Z', '2025-01-01T00:00:00Z'], Date.UTC(2026, 0, 2, 3, 4, 5)],
  [['2026-01-02T03:04:05Z', { toString: 1 }, 7, 'yesterday'], Date.UTC(2026, 0, 2, 3, 4, 5)],
  [[undefined], undefined],
])('images created at %o', async (times, newest) => {
  const provider = createMemoryStore();
  const manifests = [];
  for (const created of times) {
    const config = describeBytes(MediaType.config, Buffer.from(JSON.stringify({ created })));
    const image: Manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config: config.descriptor, layers: [] };
    const manifest = encodeDocument(image);
    for (const { bytes, descriptor } of [config, manifest]) await provider.write(fromBytes(bytes), descriptor);
    manifests.push({ ...manifest.descriptor, platform: { os: 'linux', architecture: 'amd64' } });
  }
  const document = { schemaVersion: 2, mediaType: MediaType.index, manifests } as const;
  const { bytes, descriptor: root } = encodeDocument(document);
  const placed = { root, bytes, document, provider };
  expect(await newestTime(placed, new AbortController().signal)).toBe(newest);
});
