import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import { atOnce } from '@tbuild/linux';
import type { PlacedCopy } from './copy/write-layer.ts';
import { createLayerThread } from './layer-thread.ts';

const root = mkdtempSync(join(tmpdir(), 'layer-thread-'));
afterAll(() => rmSync(root, { recursive: true }));

const copy: PlacedCopy = {
  sources: atOnce(selectFiles(openDirectory(import.meta.dirname), { sources: ['copy'] })),
  target: { destination: '/', keepOwner: false },
  options: { now: 0, hasher: createFileHasher() },
  lowers: [],
  flavour: 'user',
  isSettled: true,
};
const { signal: never } = new AbortController();

/** A thread that begins as each does, and ends as `code` says. */
function threadThat(code: string) {
  const script = join(root, 'thread.cjs');
  const begin = `const directory = require('node:worker_threads').workerData.temporaryDirectory;
require('node:fs').mkdirSync(directory, { recursive: true });
require('node:fs').writeFileSync(directory + '/begun', '');`;
  writeFileSync(script, `${begin}\n${code}`);
  return createLayerThread(root, script);
}

const left = (): string[] => readdirSync(join(root, 'tmp'));

async function untilBegun(): Promise<void> {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  await expect.poll(() => left().some((name) => existsSync(join(root, 'tmp', name, 'begun')))).toBe(true);
}

test.each([
  ['the build is cancelled', async (_stop: () => Promise<void>, cancel: () => void) => cancel()],
  ['the worker is closed', async (stop: () => Promise<void>, _cancel: () => void) => stop()],
])('a layer that takes too long is given up when %s, and leaves nothing', async (_when, giveUp) => {
  const controller = new AbortController();
  const thread = threadThat('for (;;);');
  const layer = thread.start(copy, controller.signal);
  await untilBegun();
  expect(thread.start(copy, never)).toBeUndefined();
  await giveUp(
    () => thread.stop(),
    () => controller.abort(),
  );
  expect(await layer).toBeUndefined();
  expect(left()).toEqual([]);
});

test.each([
  ['fails', 'throw new Error()'],
  ['ends without a word', 'process.exit(0)'],
])('where the thread %s, there is no layer, and the next one has a thread again', async (_what, code) => {
  const thread = threadThat(code);
  for (let time = 0; time < 2; time++) {
    const layer = thread.start(copy, never);
    expect(layer).toBeDefined();
    expect(await layer).toBeUndefined();
    expect(left()).toEqual([]);
  }
});
