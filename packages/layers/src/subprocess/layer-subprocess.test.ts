import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import type { PlacedCopy } from '@tbuild/copy';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { createLayerSubprocess } from './layer-subprocess.ts';

const root = mkdtempSync(join(tmpdir(), 'layer-process-'));
afterAll(() => rmSync(root, { recursive: true }));

const copy: PlacedCopy = {
  sources: runSync(selectFiles(openDirectory(join(import.meta.dirname, '..')), { sources: ['compress'] })),
  target: { destination: '/', keepOwner: false },
  options: { now: 0, hasher: createFileHasher() },
  lowers: [],
  flavour: 'user',
  hasStableStat: true,
};
const { signal: never } = new AbortController();
const content = createLocalStore(root);
const kept = { keep: true };

/** Returns a program that starts a job and then runs `code`. */
function processThat(code: string) {
  const script = join(root, 'program.cjs');
  const begin = `const { readFileSync, writeFileSync } = require('node:fs');
const { temporaryDirectory } = require('node:v8').deserialize(readFileSync(0));
writeFileSync(temporaryDirectory + '/begun', '');`;
  writeFileSync(script, `${begin}\n${code}`);
  return createLayerSubprocess(storeLayout(root), content, [process.execPath, script]);
}

const left = (): string[] => readdirSync(join(root, 'tmp'));

async function untilBegun(): Promise<void> {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  await expect.poll(() => left().some((name) => existsSync(join(root, 'tmp', name, 'begun')))).toBe(true);
}

test.each([
  ['the build is cancelled', async (_stop: () => Promise<void>, cancel: () => void) => cancel()],
  ['the builder stops it', async (stop: () => Promise<void>, _cancel: () => void) => stop()],
])('A running layer job is aborted when %s, and leaves no file', async (_when, abort) => {
  const controller = new AbortController();
  const writer = processThat('for (;;);');
  const layer = writer.start(copy, controller.signal, kept)?.layer;
  await untilBegun();
  expect(writer.start(copy, never, kept)).toBeUndefined();
  await abort(
    () => writer.stop(),
    () => controller.abort(),
  );
  expect(await layer).toBeUndefined();
  expect(left()).toEqual([]);
});

test.each([
  ['fails', 'throw new Error()'],
  ['exits without output', 'process.exit(0)'],
  ['exits with partial output', `process.stdout.write('{"descr')`],
  ['kills itself', `process.kill(process.pid, 'SIGKILL')`],
])('If the process %s, there is no layer, and the next job works', async (_what, code) => {
  const writer = processThat(code);
  for (let time = 0; time < 2; time++) {
    const layer = writer.start(copy, never, kept)?.layer;
    expect(layer).toBeDefined();
    expect(await layer).toBeUndefined();
    expect(left()).toEqual([]);
  }
});

test('The layer can be read while it is written', async () => {
  const layer = { descriptor: { mediaType: 'layer', digest: 'sha256:1', size: 13 }, diffId: 'sha256:1' };
  const coming = processThat(`
const blob = temporaryDirectory + '/blob-1';
writeFileSync(blob, 'first, ');
setTimeout(() => writeFileSync(blob, 'second', { flag: 'a' }), 50);
setTimeout(() => process.stdout.write(${JSON.stringify(`${JSON.stringify(layer)}\n`)}), 100);`).start(
    copy,
    never,
    kept,
  );
  const chunks: string[] = [];
  for await (const chunk of coming?.bytes ?? []) chunks.push(Buffer.from(chunk).toString());
  expect(chunks.join('')).toBe('first, second');
  expect(await coming?.layer).toEqual(layer);
});

test('A program that does not exist makes no layer', () => {
  expect(createLayerSubprocess(storeLayout(root), content, ['/nothing']).start(copy, never, kept)).toBeUndefined();
  expect(left()).toEqual([]);
});
