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
const content = createLocalStore(root);

test('a layer that cannot be read is not exported with the times it has', async () => {
  const digest = digestOf('layer');
  const layer = { descriptor: { mediaType: 'application/x-layer', digest, size: 5 }, diffId: digest };
  const store = { content, variants: createLayerVariants(storeLayout(root)) };
  const encoding = encodeLayer(layer, { latest: 0 }, { from: content, store, signal: new AbortController().signal });
  await expect(encoding).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

/** Compresses the layer of these bytes, which `read` reads. */
function compress(bytes: Buffer, read: Provider['read'], signal = new AbortController().signal) {
  const digest = digestOf(bytes);
  const layer = { descriptor: { mediaType: MediaType.layer, digest, size: bytes.length }, diffId: digest };
  const store = { content, variants: createLayerVariants(storeLayout(root)) };
  return compressLayer(layer, { compression: 'gzip' }, { from: { has: async () => true, read }, store, signal });
}

test('exports side by side compress a layer once, and again after a failure', async () => {
  const bytes = Buffer.from('archive');
  let reads = 0;
  const read = async () => {
    if (reads++ === 0) throw new Error('Broken');
    return fromBytes(bytes);
  };
  await expect(compress(bytes, read)).rejects.toThrow('Broken');
  const [first, second] = await Promise.all([compress(bytes, read), compress(bytes, read)]);
  expect(second).toBe(first);
  expect(reads).toBe(2);
});

test('an export that is aborted ends at once, and others that wait for the same layer compress it', async () => {
  const bytes = Buffer.from('another archive');
  const [maker, waiting] = [new AbortController(), new AbortController()];
  const untilAborted: Provider['read'] = (_, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const making = compress(bytes, untilAborted, maker.signal);
  const ended = compress(bytes, untilAborted, waiting.signal);
  const others = [1, 2].map(() => compress(bytes, async () => fromBytes(bytes)));
  waiting.abort(new Error('Aborted while it waits'));
  await expect(ended).rejects.toThrow('Aborted while it waits');
  maker.abort(new Error('Aborted while it compresses'));
  await expect(making).rejects.toThrow('Aborted while it compresses');
  const [first, second] = await Promise.all(others);
  expect(first?.descriptor.mediaType).toBe(MediaType.layerGzip);
  expect(second).toBe(first);
});
