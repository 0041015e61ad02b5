import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalCache } from '@tbuild/cache';
import { createLocalStore, createRefs } from '@tbuild/content';
import { createDiffer } from '@tbuild/diff';
import { digestOf, hexOf, MediaType, parseReference } from '@tbuild/oci';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import { storeLayout, writeNote } from '@tbuild/store';
import { expect, onTestFinished, test } from 'vitest';
import { pruneStore } from '../prune.ts';
import { checkImages } from './check-images.ts';
import { checkTrees } from './check-trees.ts';
import type { CheckedStore } from './checked-store.ts';
import type { Damage } from './damage.ts';

function newStore(): CheckedStore {
  const root = mkdtempSync(join(tmpdir(), 'removed-meanwhile-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const store = storeLayout(root);
  const content = createLocalStore(root);
  return {
    store,
    content,
    refs: createRefs(store),
    snapshots: createOverlaySnapshotter({ store, flavour: 'user' }),
    cache: createLocalCache(store.records),
    differ: createDiffer({ content, flavour: 'user' }),
    now: () => Date.now(),
  };
}

const { signal } = new AbortController();

async function damagesIn(check: AsyncIterable<Damage>, afterFirst: () => void = () => {}): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { message } of check) if (found.push(message) === 1) afterFirst();
  return found;
}

test('a tree that a prune removes while it is packed is not damaged', async () => {
  const stores = newStore();
  const { store, snapshots, differ } = stores;
  const result = digestOf('result');
  const name = hexOf(result);
  {
    await using active = await snapshots.prepare();
    writeFileSync(join(active.upper, 'file'), 'content');
    await active.commit(name);
  }
  const { descriptor, diffId } = await differ.pack(join(store.snapshot(name), 'fs'), []);
  writeNote(store.layer(result), { descriptor, diffId, parent: null });
  utimesSync(store.snapshot(name), 1, 1);
  let pruned = 0;
  const pack: typeof differ.pack = async (...given) => {
    pruned += (await pruneStore(stores, { all: true })).bytes;
    return differ.pack(...given);
  };
  expect(await damagesIn(checkTrees({ ...stores, differ: { ...differ, pack } }, { full: true, signal }))).toEqual([]);
  expect(pruned).toBeGreaterThan(0);
});

test('an image that is removed after the names were listed is not damaged', async () => {
  const stores = newStore();
  const { refs } = stores;
  const image = (text: string) => ({ mediaType: MediaType.manifest, digest: digestOf(text), size: 1 });
  const [first, second] = [parseReference('first'), parseReference('second')];
  refs.set([
    { reference: first, target: image('a') },
    { reference: second, target: image('b') },
  ]);
  refs.keep(image('c'));
  refs.keep(image('d'));
  const check = (afterFirst?: () => void) => damagesIn(checkImages(stores, new Set(), signal), afterFirst);
  expect(await check()).toHaveLength(4);
  const removeOthers = () => [refs.remove([second]), refs.drop([digestOf('c'), digestOf('d')])];
  expect(await check(removeOthers)).toEqual([expect.stringContaining('"first:latest" lacks blob')]);
});
