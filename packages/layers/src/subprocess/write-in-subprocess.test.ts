import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore, readWhole } from '@tbuild/content';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import { type PlacedCopy, writeLayer } from '@tbuild/copy';
import { digestOf, type Layer } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compressPending } from '../compress/compress-layer.ts';
import { createLayerVariants } from '../compress/layer-variants.ts';
import { createLayerPreparation, type LayerConsumer } from '../layer-preparation.ts';
import { createLayerSubprocess } from './layer-subprocess.ts';
import { writeLayerInSubprocess } from './write-in-subprocess.ts';

const root = mkdtempSync(join(tmpdir(), 'write-in-subprocess-'));
afterAll(() => rmSync(root, { recursive: true }));
const program = join(root, 'program.cjs');
const source = join(root, 'source');
let count = 0;

const KEPT = { layer: 'written-in-subprocess', keepsUncompressed: true } as const;
const COMPRESSED_ONLY = { ...KEPT, keepsUncompressed: false } as const;

const PROGRAM = `
import { readFileSync, writeSync } from 'node:fs';
import { doLayerJob } from './layer-subprocess.ts';
writeSync(1, doLayerJob(readFileSync(0)));
`;

beforeAll(async () => {
  buildSync({
    stdin: { contents: PROGRAM, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    target: 'node20',
    platform: 'node',
    outfile: program,
    external: ['koffi'],
    // Imports are resolved from here.
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
  });
  mkdirSync(source);
  writeFileSync(join(source, 'large'), Buffer.alloc(1 << 24, 'bytes of a file '));
  // A file written just now could change without a change of its stats, and so would not be written without a tree.
  while (expectedLayer() === undefined) await sleep(10);
});

/** Opens a build in a new store. Its outputs compress layers with gzip or do nothing. */
function openBuild({ compresses }: { readonly compresses: boolean }) {
  const store = storeLayout(join(root, `store-${count++}`));
  const content = createLocalStore(store.root);
  const variants = createLayerVariants(store);
  const output: LayerConsumer = {
    compresses: 'gzip',
    prepare: async ({ layer, bytes }, signal) =>
      bytes && compressPending({ layer, bytes }, { compression: 'gzip' }, { store: { content, variants }, signal }),
  };
  const { signal } = new AbortController();
  const preparation = createLayerPreparation(compresses ? [output] : [], { signal });
  const layerSubprocess = createLayerSubprocess(store, content, [process.execPath, program]);
  return { work: { layerSubprocess, preparation, store, content, signal }, content, variants };
}

function copyOf(name: string): PlacedCopy {
  const sources = runSync(selectFiles(openDirectory(source), { sources: [name] }));
  const options = { now: 0, hasher: createFileHasher() };
  const target = { destination: '/to/', keepOwner: false };
  return { sources, target, options, lowers: [], flavour: 'user', hasStableStat: true };
}

/** Writes the layer in this process. */
function expectedLayer(): Layer | undefined {
  return runSync(writeLayer(copyOf('large'), createLocalStore(join(root, 'expected'))));
}

test('A second process writes the same layer as this one', async () => {
  const { work, content } = openBuild({ compresses: false });
  const layer = await writeLayerInSubprocess(copyOf('large'), KEPT, work)?.layer;
  expect(layer).toEqual(expectedLayer());
  expect(layer).toBeDefined();
  expect(layer && (await content.has({ digest: layer.descriptor.digest }))).toBe(true);
});

test('A layer that all outputs compress is stored only compressed', async () => {
  const { work, content, variants } = openBuild({ compresses: true });
  const layer = await writeLayerInSubprocess(copyOf('large'), COMPRESSED_ONLY, work)?.layer;
  expect(layer).toEqual(expectedLayer());
  expect(layer).toBeDefined();
  if (layer === undefined) return;
  expect(await content.has({ digest: layer.descriptor.digest })).toBe(false);
  const compressed = variants.get(layer.diffId, 'gzip');
  expect(compressed && digestOf(await readWhole(content, compressed, work.signal))).toBe(compressed?.digest);
});

test('There is no layer if no output compresses one that is stored only compressed', async () => {
  const { work } = openBuild({ compresses: false });
  expect(await writeLayerInSubprocess(copyOf('large'), COMPRESSED_ONLY, work)?.layer).toBeUndefined();
});

test('A busy second process takes no other copy', async () => {
  const { work } = openBuild({ compresses: false });
  const first = writeLayerInSubprocess(copyOf('large'), KEPT, work);
  expect(writeLayerInSubprocess(copyOf('large'), KEPT, work)).toBeUndefined();
  await first?.layer;
});

test('Aborting a step stops the second process and leaves no layer', async () => {
  const { work, content } = openBuild({ compresses: false });
  const step = new AbortController();
  const pending = writeLayerInSubprocess(copyOf('large'), KEPT, { ...work, signal: step.signal });
  step.abort();
  expect(await pending?.layer).toBeUndefined();
  for await (const { digest } of content.list()) expect.fail(`Blob ${digest} was left`);
});
