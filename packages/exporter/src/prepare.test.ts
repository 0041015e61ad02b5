import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { createLocalStore, createRefs, readWhole, type Ingester } from '@tbuild/content';
import { createLayerVariants, type VariantStore } from '@tbuild/layers';
import type { Layer } from '@tbuild/oci';
import type { ImageFormat } from '@tbuild/spec';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { dockerArchive } from './archive/docker-archive.ts';
import { ociArchive } from './archive/oci-archive.ts';
import type { Exportable, Exporter } from './exporter.ts';
import { imageStore } from './image-store.ts';
import { noReport, noSignal, testResult } from './test-image.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-prepare-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const fresh = (): string => join(directory, String(count++));

/** A store with the layers of the result, which counts what is written besides. */
async function storeFor(result: Exportable) {
  const content = createLocalStore(fresh());
  for (const { descriptor } of result.images.flatMap(({ image }) => image.layers))
    await content.write(await result.content.read(descriptor));
  const written: string[] = [];
  const write: Ingester['write'] = async (...args) => {
    const blob = await content.write(...args);
    written.push(blob.digest);
    return blob;
  };
  const store: VariantStore = { content: { ...content, write }, variants: createLayerVariants(storeLayout(fresh())) };
  return { store, written, content };
}

function topLayer({ images }: Exportable): Layer {
  const layer = images[0]?.image.layers.at(-1);
  if (layer === undefined) throw new Error('No layer');
  return layer;
}

/** The bytes of the layer in small pieces, one buffer for all, as if somebody were writing them. */
async function* slowly(bytes: Uint8Array, end?: Error): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(1000);
  for (let at = 0; at < bytes.length; at += piece.length) {
    await new Promise(setImmediate);
    const part = bytes.subarray(at, at + piece.length);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
  if (end !== undefined) throw end;
}

const formats: [what: string, format: ImageFormat][] = [
  ['gzip', {}],
  ['gzip of another level', { compressionLevel: 1 }],
  ...('createZstdCompress' in zlib ? ([['zstd', { compression: 'zstd' }]] satisfies [string, ImageFormat][]) : []),
  ['clamped times', { rewriteTimestamp: true }],
  ['clamped times, uncompressed', { rewriteTimestamp: true, compression: 'uncompressed' }],
];

test.each(formats)('export uses a prepared layer and writes the same archive: %s', async (_, format) => {
  const plain = await testResult(['app']);
  const result = { ...plain, epoch: 0, images: plain.images.map((image) => ({ ...image, baseLayers: 1 })) };
  const layer = topLayer(result);
  const archives: Buffer[] = [];
  for (const way of ['export', 'prepare', 'prepare while written']) {
    const { store, written } = await storeFor(result);
    const destination = fresh();
    const exporter = ociArchive({ destination, store, ...format });
    const bytes =
      way === 'prepare while written' ? slowly(await readWhole(result.content, layer.descriptor)) : undefined;
    if (way !== 'export') await exporter.prepare?.({ layer: Promise.resolve(layer), bytes }, 0, noSignal);
    const prepared = written.length;
    await exporter.export(result, noReport, noSignal);
    if (way !== 'export') expect([written.length, prepared > 0]).toEqual([prepared, true]);
    archives.push(readFileSync(destination));
  }
  expect(archives.map((archive) => archive.equals(archives[0] ?? Buffer.of()))).toEqual([true, true, true]);
});

test('export waits for layers that are being prepared', async () => {
  const result = await testResult(['app']);
  const { store, written } = await storeFor(result);
  const exporter = ociArchive({ destination: fresh(), store });
  const bytes = slowly(await readWhole(result.content, topLayer(result).descriptor));
  const prepared = exporter.prepare?.({ layer: Promise.resolve(topLayer(result)), bytes }, undefined, noSignal);
  await exporter.export({ ...result, prepared }, noReport, noSignal);
  expect(written).toHaveLength(1);
});

test('export makes a layer whose preparation was cut short', async () => {
  const result = await testResult(['app']);
  const { store, written } = await storeFor(result);
  const bytes = slowly(Buffer.from('half of'), new Error('given up'));
  const coming = { layer: Promise.resolve(topLayer(result)), bytes };
  await ociArchive({ destination: fresh(), store }).prepare?.(coming, undefined, noSignal);
  expect(written).toEqual([store.variants.get(topLayer(result).diffId, 'gzip')?.digest]);
});

test('preparing a layer that never comes leaves no blob', async () => {
  const result = await testResult(['app']);
  const { store, written } = await storeFor(result);
  const coming = { layer: Promise.resolve(undefined), bytes: slowly(Buffer.from('half of'), new Error('given up')) };
  await ociArchive({ destination: fresh(), store }).prepare?.(coming, undefined, noSignal);
  expect(written).toEqual([]);
});

const untouched: [
  where: string,
  make: (store: VariantStore & { content: ReturnType<typeof createLocalStore> }) => Exporter,
][] = [
  ['the store', (store) => imageStore({ content: store.content, refs: createRefs(storeLayout(fresh())), store })],
  ['a Docker archive', (store) => dockerArchive({ destination: fresh(), store })],
];

test.each(untouched)('an exporter that leaves layers as they are has no prepare: %s', async (_, make) => {
  const { store, content } = await storeFor(await testResult(['app']));
  const { prepare, compresses } = make({ ...store, content: { ...content, ...store.content } });
  expect([prepare, compresses]).toEqual([undefined, undefined]);
});

test.each<[what: string, format: ImageFormat, compresses: string | undefined]>([
  ['compressed', {}, 'gzip'],
  ['compressed with a level', { compressionLevel: 1 }, 'gzip-1'],
  ['uncompressed', { compression: 'uncompressed' }, undefined],
  ['with their times clamped first', { rewriteTimestamp: true }, undefined],
])(
  'prepare names its compression only when it needs nothing but the bytes: layers %s',
  async (_, format, compresses) => {
    const { store } = await storeFor(await testResult(['app']));
    expect(ociArchive({ destination: fresh(), store, ...format }).compresses).toBe(compresses);
  },
);
