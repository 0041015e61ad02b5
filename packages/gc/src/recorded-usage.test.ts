import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalCache } from '@tbuild/cache';
import { createLocalStore, createRefs } from '@tbuild/content';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import { createDiskUsage, openLock, storeLayout } from '@tbuild/store';
import { afterEach, expect, test } from 'vitest';
import { bytesOf, listCacheEntries } from './cache-entries.ts';
import type { GcStore } from './gc-store.ts';
import { namedBlobs } from './needed-blobs.ts';
import { keepWithin, pruneStore } from './prune.ts';
import { listWithSizes } from './recorded-usage.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function newStore(): GcStore {
  const root = mkdtempSync(join(tmpdir(), 'recorded-usage-'));
  roots.push(root);
  const store = storeLayout(root);
  return {
    store,
    content: createLocalStore(root),
    refs: createRefs(store),
    snapshots: createOverlaySnapshotter({ store, flavour: 'user' }),
    cache: createLocalCache(store.records),
    now: () => Date.now(),
  };
}

/** Commits a tree of `d/NAME` with so many bytes each, or with the file of another tree. Returns its directory. */
async function addTree(
  name: string,
  files: Readonly<Record<string, number | string>>,
  { snapshots, store }: GcStore,
): Promise<string> {
  await using active = await snapshots.prepare();
  mkdirSync(join(active.upper, 'd'));
  for (const [file, from] of Object.entries(files)) {
    const path = join(active.upper, 'd', file);
    if (typeof from === 'string') linkSync(from, path);
    else writeFileSync(path, Buffer.alloc(from, 1));
  }
  await active.commit(name);
  return join(store.snapshot(name), 'fs/d');
}

/** What the entries take as recorded, and as a walk of everything finds. */
async function sizes(stores: GcStore): Promise<{ readonly recorded: number; readonly walked: number }> {
  const walked = await listCacheEntries(stores, { disk: createDiskUsage(), named: namedBlobs(stores) });
  return { recorded: bytesOf(await listWithSizes(stores)), walked: bytesOf(walked) };
}

function use(name: string, { store }: GcStore, at: number): void {
  utimesSync(store.snapshot(name), at, at);
}

test('a directory is walked once, and again only after a change of it', async () => {
  const stores = newStore();
  const directory = await addTree('one', { f: 50_000 }, stores);
  const before = await sizes(stores);
  expect(before.recorded).toBe(before.walked);
  expect(before.walked).toBeGreaterThan(50_000);
  // Nobody changes a committed tree. The file shows that its directory is not read again.
  writeFileSync(join(directory, 'late'), Buffer.alloc(100_000, 1));
  expect((await sizes(stores)).recorded).toBe(before.recorded);
  use('one', stores, 1000);
  const after = await sizes(stores);
  expect(after.recorded).toBe(after.walked);
  expect(after.walked).toBeGreaterThan(before.walked);
});

test('a cache mount is walked again after each use', async () => {
  const stores = newStore();
  const mount = stores.store.cacheMount('key');
  mkdirSync(join(mount, '0/d'), { recursive: true });
  writeFileSync(join(mount, 'used'), '');
  const before = await sizes(stores);
  writeFileSync(join(mount, '0/d/f'), Buffer.alloc(100_000, 1));
  utimesSync(join(mount, 'used'), 1000, 1000);
  const after = await sizes(stores);
  expect(after.recorded).toBe(after.walked);
  expect(after.recorded).toBeGreaterThan(before.recorded + 100_000);
});

test('a cache mount stays while its lock is held', async () => {
  const stores = newStore();
  const mount = stores.store.cacheMount('key');
  mkdirSync(join(mount, '0'), { recursive: true });
  const prune = () => pruneStore({ ...stores, now: () => Date.now() + 1000 }, { all: true });
  {
    using lock = openLock(join(mount, 'lock'));
    lock.tryTake('shared');
    await prune();
    expect(existsSync(mount)).toBe(true);
  }
  await prune();
  expect(existsSync(mount)).toBe(false);
});

test('files that trees share count once, and are free when the last tree is removed', async () => {
  const stores = newStore();
  const first = await addTree('first', { shared: 200_000, inner: 1 }, stores);
  linkSync(join(first, 'inner'), join(first, 'inner-too'));
  const alone = await sizes(stores);
  await addTree('second', { shared: join(first, 'shared'), own: 100_000 }, stores);
  use('first', stores, 1000);
  use('second', stores, 2000);
  const both = await sizes(stores);
  expect(both.recorded).toBe(both.walked);
  expect(both.recorded).toBeLessThan(alone.recorded + 150_000);
  // A limit of one byte less takes the tree that was used first, which frees less than the shared file.
  const { bytes } = await pruneStore(stores, { maxUsedSpace: both.recorded - 1 });
  const left = await sizes(stores);
  expect(await stores.snapshots.list()).toEqual(['second']);
  expect(left.recorded).toBe(left.walked);
  expect(left.recorded).toBe(both.recorded - bytes);
  expect(bytes).toBeLessThan(100_000);
});

test('of several processes that keep a cache within its limits, one removes', async () => {
  const stores = newStore();
  await addTree('one', { f: 50_000 }, stores);
  use('one', stores, 1000);
  {
    using other = openLock(stores.store.sizesLock);
    other.tryTake('exclusive');
    await keepWithin({ maxUsedSpace: 1 }, stores);
    expect(await stores.snapshots.list()).toEqual(['one']);
  }
  await keepWithin({ maxUsedSpace: 1 }, stores);
  expect(await stores.snapshots.list()).toEqual([]);
});

test.each(['', '{"snapshots/one":', 'null', '{"snapshots/one":{}}'])(
  'sizes that are damaged (%j) are measured again',
  async (damaged) => {
    const stores = newStore();
    await addTree('one', { f: 50_000 }, stores);
    const before = await sizes(stores);
    writeFileSync(stores.store.sizes, damaged);
    expect(await sizes(stores)).toEqual(before);
  },
);
