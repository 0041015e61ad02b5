import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import { type CopyOp, GraphBuilder } from '@tbuild/graph';
import { createLayerPreparation, createLayerSubprocess } from '@tbuild/layers';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { type EarlyLayerPorts, openEarlyLayer } from './early-layer.ts';

const root = mkdtempSync(join(tmpdir(), 'early-layer-'));
afterAll(() => rmSync(root, { recursive: true }));
writeFileSync(join(root, 'large'), '');
truncateSync(join(root, 'large'), 1 << 24);

const op: CopyOp = {
  kind: 'copy',
  from: { kind: 'context', name: '' },
  sources: ['large'],
  destination: '/',
  exclude: [],
  parents: false,
  unpack: false,
  keepOwner: false,
};
const sources = runSync(selectFiles(openDirectory(root), { sources: ['large'] }));
const input = { select: async () => sources, hasher: createFileHasher(), owner: 'root' } as const;

/** Opens the early layer of a copy without a base. `isLast`: no step stands on it, so that it needs no tree. */
function openLayer(isLast: boolean) {
  const builder = new GraphBuilder();
  const id = builder.add({ op, name: 'copy', sources: [], noCache: false });
  const [step] = builder.build([id]).steps.values();
  if (step === undefined) throw new Error('There is no step');
  const [store, content] = [storeLayout(root), createLocalStore(root)];
  const { signal } = new AbortController();
  const ports: Omit<EarlyLayerPorts, 'results'> = {
    store,
    content,
    layerSubprocess: createLayerSubprocess(store, content, [process.execPath, '--eval', '']),
    preparation: createLayerPreparation([], { signal }),
    imageSteps: new Set([id]),
    leafSteps: new Set(isLast ? [id] : []),
    importsCaches: false,
    flavour: 'user',
    epoch: undefined,
  };
  const layer = openEarlyLayer(step, ports as EarlyLayerPorts);
  layer.allow(signal);
  return layer;
}

test.each([
  { isLast: false, isKeyed: false, starts: true },
  { isLast: false, isKeyed: true, starts: true },
  { isLast: true, isKeyed: false, starts: true },
  { isLast: true, isKeyed: true, starts: false },
])('A layer starts early, but that of the last copy not once its files are read: %o', async (given) => {
  const layer = openLayer(given.isLast);
  layer.onListed({ op, selection: op, input, base: undefined });
  if (given.isKeyed) layer.onKeyed();
  const pending = await layer.pending();
  expect(pending !== undefined).toBe(given.starts);
  expect(await pending?.layer).toBeUndefined();
});
