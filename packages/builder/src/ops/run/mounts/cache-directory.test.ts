import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { moveToTrash, storeLayout } from '@tbuild/store';
import { afterAll, describe, expect, test } from 'vitest';
import {
  holdIdleCacheDirectory,
  takeCacheDirectory,
  type CacheDirectory,
  type CacheRequest,
} from './cache-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'cache-directory-'));
afterAll(() => rmSync(root, { recursive: true }));

const never = new AbortController().signal;
let fills = 0;
const waits: string[] = [];

function take(
  key: string,
  sharing: CacheRequest['sharing'],
  options: { discard?: boolean; signal?: AbortSignal } = {},
): Promise<CacheDirectory> {
  const fill = async (path: string): Promise<void> => {
    fills++;
    await setTimeout(20);
    mkdirSync(path);
  };
  return takeCacheDirectory(
    storeLayout(root),
    { key, sharing, discard: options.discard ?? false, fill, onWait: (holder) => void waits.push(holder) },
    options.signal ?? never,
  );
}

test('the directory of a cache mount counts as used until its step ends', async () => {
  const directory = await take('u', 'shared');
  const used = join(dirname(directory.path), 'used');
  utimesSync(used, 1, 1);
  directory[Symbol.dispose]();
  expect(statSync(used).mtimeMs).toBeGreaterThan(1000);
});

describe('Two steps with the same cache mount', () => {
  test('share one directory, filled once, if it is shared', async () => {
    fills = 0;
    const [one, two, three] = await Promise.all([take('s', 'shared'), take('s', 'shared'), take('s', 'shared')]);
    expect(new Set([one?.path, two?.path, three?.path]).size).toBe(1);
    expect(fills).toBe(1);
    for (const directory of [one, two, three]) directory?.[Symbol.dispose]();
  });

  test('get separate directories if it is private, which later steps reuse', async () => {
    using one = await take('p', 'private');
    const two = await take('p', 'private');
    expect(two.path).not.toBe(one.path);
    two[Symbol.dispose]();
    using three = await take('p', 'shared');
    expect(three.path).toBe(two.path);
  });

  test('wait for each other if it is locked', async () => {
    const one = await take('l', 'shared');
    let has = false;
    const waiting = take('l', 'locked').then((directory) => {
      has = true;
      return directory;
    });
    while (waits.length === 0) await setTimeout(5);
    expect([has, waits]).toEqual([false, ['step']]);
    one[Symbol.dispose]();
    using two = await waiting;
    expect(two.path).toBe(one.path);
  });

  test('stop waiting when the build is cancelled', async () => {
    using _one = await take('a', 'locked');
    await expect(take('a', 'locked', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

test('Discarding empties an unused directory and keeps one in use', async () => {
  const put = async (): Promise<CacheDirectory> => {
    const directory = await take('d', 'shared');
    writeFileSync(join(directory.path, 'old'), '');
    return directory;
  };
  (await put())[Symbol.dispose]();
  const fresh = await take('d', 'shared', { discard: true });
  expect(readdirSync(fresh.path)).toEqual([]);
  using joined = await take('d', 'shared');
  expect(joined.path).toBe(fresh.path);
  using other = await take('d', 'shared', { discard: true });
  expect(other.path).not.toBe(fresh.path);
  fresh[Symbol.dispose]();
});

test('A cache mount is held while no step uses it, and steps wait for it meanwhile', async () => {
  const store = storeLayout(root);
  let held = 0;
  const hold = (key: string, signal = never) =>
    holdIdleCacheDirectory(store, { key, onWait: () => void held++ }, signal);
  expect(await hold('i')).toBeUndefined();
  const one = await take('i', 'shared');
  await expect(hold('i', AbortSignal.timeout(30))).rejects.toMatchObject({ code: 'CANCELLED' });
  const idle = hold('i');
  while (held < 2) await setTimeout(5);
  one[Symbol.dispose]();
  const directory = await idle;
  expect(directory?.path).toBe(one.path);
  waits.length = 0;
  const next = ['shared', 'private'].map((sharing) =>
    take('i', sharing as 'shared', { signal: AbortSignal.timeout(30) }),
  );
  for (const { reason } of (await Promise.allSettled(next)) as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: 'CANCELLED' });
  expect(waits).toEqual(['export', 'export']);
  directory?.[Symbol.dispose]();
  using again = await take('i', 'shared');
  expect(again.path).toBe(one.path);
});

test('A cache mount is exported after a step that discards it, also while its initial content is made', async () => {
  const store = storeLayout(root);
  (await take('n', 'shared'))[Symbol.dispose]();
  let filled: () => void = () => {};
  const filling = new Promise<void>((resolve) => (filled = resolve));
  const fill = async (path: string): Promise<void> => {
    await filling;
    mkdirSync(path);
  };
  const step = takeCacheDirectory(store, { key: 'n', sharing: 'shared', discard: true, fill, onWait() {} }, never);
  const ended = step.then((directory) => directory[Symbol.dispose]());
  using held = await holdIdleCacheDirectory(store, { key: 'n', onWait: filled }, never);
  filled();
  await ended;
  expect(held?.path).toBe(join(store.cacheMount('n'), '0'));
});

test('A cache mount that is removed while its export waits is not exported', async () => {
  const store = storeLayout(root);
  using _step = await take('g', 'shared');
  const exported = holdIdleCacheDirectory(
    store,
    { key: 'g', onWait: () => moveToTrash(store, store.cacheMount('g')) },
    never,
  );
  expect(await exported).toBeUndefined();
});

test('A cache mount that is removed while a step waits is made anew', async () => {
  const store = storeLayout(root);
  using one = await take('r', 'shared');
  const onWait = (): void => void moveToTrash(store, store.cacheMount('r'));
  const fill = (path: string): void => mkdirSync(path);
  using two = await takeCacheDirectory(store, { key: 'r', sharing: 'locked', discard: false, fill, onWait }, never);
  expect(two.path).toBe(one.path);
  expect(readdirSync(two.path)).toEqual([]);
});

test('A directory that failed to fill is filled again', async () => {
  const fill = (path: string): void => {
    mkdirSync(path);
    throw new Error('full disk');
  };
  await expect(
    takeCacheDirectory(storeLayout(root), { key: 'f', sharing: 'locked', discard: false, fill, onWait() {} }, never),
  ).rejects.toThrow('full disk');
  fills = 0;
  using _one = await take('f', 'locked');
  expect(fills).toBe(1);
});
