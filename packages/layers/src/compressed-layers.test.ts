import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { createLocalStore, readWhole } from '@tbuild/content';
import { digestOf, layerMediaType, type Descriptor } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { createLayerVariants } from './compress/layer-variants.ts';
import { compressedForm, uncompressing } from './compressed-layers.ts';

const root = mkdtempSync(join(tmpdir(), 'compressed-layers-'));
afterAll(() => rmSync(root, { recursive: true }));
const content = createLocalStore(root);
const store = { store: storeLayout(root), content };
const { signal } = new AbortController();

const bytes = Buffer.alloc(3_000_000, 'bytes of a layer ');
const raw: Descriptor = { mediaType: layerMediaType('uncompressed'), digest: digestOf(bytes), size: bytes.length };

beforeEach(() => rmSync(join(root, 'variants'), { recursive: true, force: true }));

/** Remembers a compressed form of the layer. */
async function compressedTo(blob: Uint8Array, variant = 'gzip'): Promise<Descriptor> {
  const stored = await content.write(Readable.from([blob]));
  const descriptor = { mediaType: layerMediaType('gzip'), ...stored };
  createLayerVariants(storeLayout(root)).set(raw.digest, variant, descriptor);
  return descriptor;
}

test.each(['gzip', 'gzip-1'])('A layer stored only as %s reads as its uncompressed bytes', async (variant) => {
  const blob = await compressedTo(zlib.gzipSync(bytes), variant);
  expect(compressedForm(raw.digest, store)).toEqual(blob);
  expect(await uncompressing(store).has({ digest: raw.digest })).toBe(true);
  expect(Buffer.from(await readWhole(uncompressing(store), raw, signal)).equals(bytes)).toBe(true);
});

test('A variant with other file times does not count as a compressed form', async () => {
  await compressedTo(bytes, 'not-after-1');
  expect(await uncompressing(store).has({ digest: raw.digest })).toBe(false);
});

test.each<[what: string, spoil: (blob: Descriptor) => void]>([
  ['is gone', ({ digest }) => rmSync(content.path(digest))],
  ['was cut short', ({ digest }) => writeFileSync(content.path(digest), 'short')],
])('A compressed blob that %s is not used', async (_, spoil) => {
  spoil(await compressedTo(zlib.gzipSync(bytes)));
  expect(await uncompressing(store).has({ digest: raw.digest })).toBe(false);
  await expect(uncompressing(store).read(raw, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('A damaged compressed blob is removed when it is read', async () => {
  const { digest, size } = await compressedTo(zlib.gzipSync(bytes));
  writeFileSync(content.path(digest), Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(size - 2)]));
  await expect(readWhole(uncompressing(store), raw, signal)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(await content.has({ digest })).toBe(false);
});

test('A blob that decompresses to other bytes fails', async () => {
  await compressedTo(zlib.gzipSync(Buffer.alloc(bytes.length)));
  await expect(readWhole(uncompressing(store), raw, signal)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('Of two forms, the one that every Node can decompress is read', async () => {
  await compressedTo(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), 'zstd');
  const blob = await compressedTo(zlib.gzipSync(bytes));
  expect(compressedForm(raw.digest, store)).toEqual(blob);
});

const needsOldNode = needs({ met: !('createZstdDecompress' in zlib), lacks: 'a Node without zstd' });

test('A form that this Node cannot decompress counts as missing', needsOldNode, async () => {
  await compressedTo(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), 'zstd');
  vi.stubEnv('PATH', '/nothing');
  await expect(readWhole(uncompressing(store), raw, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  vi.unstubAllEnvs();
});
