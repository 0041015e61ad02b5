import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, openDirectory, selectFiles, type TreeEntry } from '@tbuild/context';
import { createDiffer } from '@tbuild/diff';
import { type CopyOp, GraphBuilder } from '@tbuild/graph';
import { createLayerPreparation, createStepResults } from '@tbuild/layers';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { createImportedSteps } from '../../cache-transfer/imported-steps.ts';
import { openEarlyCopy } from './early-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'early-copy-'));
afterAll(() => rmSync(root, { recursive: true }));

const context = join(root, 'context');
mkdirSync(context);
/** A copy of so many files is large. */
const FILES = 1000;
for (let at = 0; at < FILES; at++) writeFileSync(join(context, String(at)), '');

const flavour = 'user';
const { signal } = new AbortController();
const op: CopyOp = {
  kind: 'copy',
  from: { kind: 'context', name: 'context' },
  sources: [''],
  destination: '/',
  exclude: [],
  parents: false,
  unpack: false,
  keepOwner: false,
};

/** Opens the early copy of a step without a base, in a store of its own. */
function open() {
  const store = storeLayout(mkdtempSync(join(root, 'store-')));
  const content = createLocalStore(store.root);
  const snapshots = createOverlaySnapshotter({ store, flavour });
  const { layers: remote } = createImportedSteps({ store, content });
  const results = createStepResults(
    { store, content, snapshots, differ: createDiffer({ content, flavour }) },
    { remote, progress: { emit: () => {} }, now: Date.now, signal },
  );
  const copy = { op, sources: [], name: 'COPY', noCache: false };
  const step = { ...copy, id: new GraphBuilder().add(copy) };
  const early = openEarlyCopy(step, {
    store,
    content,
    snapshots,
    results,
    flavour,
    preparation: createLayerPreparation([], { signal }),
    imageSteps: new Set(),
    leafSteps: new Set(),
    importsCaches: false,
    unpackLimits: { size: 1e9, entries: 1e6, directory: root },
  });
  early.allow(signal);
  return { early, unfinished: () => readdirSync(store.activeSnapshots) };
}

/** Lists the files of the context. `onRead` is called before each is read. */
function listed(onRead: () => void) {
  const selection = runSync(selectFiles(openDirectory(context), { sources: op.sources }));
  const read = ({ location }: TreeEntry): Uint8Array => {
    onRead();
    return readFileSync(location);
  };
  const input = { select: async () => selection, hasher: createFileHasher(), owner: 'root' as const, read };
  return { op, selection: op, base: undefined, input };
}

test('An early copy makes the tree', async () => {
  const { early } = open();
  await early.onListed(
    listed(() => {}),
    signal,
  );
  await using tree = early.tree();
  expect(readdirSync(tree?.upper ?? '')).toHaveLength(FILES);
});

test('An early copy ends when the build is cancelled, and leaves no tree', async () => {
  const { early, unfinished } = open();
  const build = new AbortController();
  let read = 0;
  await early.onListed(
    listed(() => {
      build.abort();
      // Work looks at the signal every few milliseconds.
      if (read++ === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }),
    build.signal,
  );
  expect(read).toBeLessThan(FILES);
  expect(early.tree()).toBeUndefined();
  expect(unfinished()).toEqual([]);
});
