import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultId, type StepKey, stepKey } from '@tbuild/graph';
import { digestOf, hexOf } from '@tbuild/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalCache, type StepRecord } from './index.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'tbuild-cache-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const keyOf = (name: string): StepKey => stepKey(digestOf(name));

const record = (key: string, result: string, createdAt = 1): StepRecord => ({
  key: keyOf(key),
  result: resultId(digestOf(result)),
  createdAt,
});

test('a record is found under its key, and only there', async () => {
  const cache = createLocalCache(directory);
  await cache.put({ ...record('a', 'r'), parent: resultId(digestOf('p')) });
  expect(await cache.get(keyOf('a'))).toEqual({ ...record('a', 'r'), parent: resultId(digestOf('p')) });
  expect(await cache.get(keyOf('b'))).toBeUndefined();
});

test('the first record under a key wins, and put returns it', async () => {
  const cache = createLocalCache(directory);
  await cache.put(record('a', 'first'));
  expect(await cache.put(record('a', 'second', 2))).toEqual(record('a', 'first'));
  expect(await cache.put(record('a', 'third', 3), { replace: true })).toEqual(record('a', 'third', 3));
  expect(await cache.get(keyOf('a'))).toEqual(record('a', 'third', 3));
});

test.each([
  ['truncated', '{"key":'],
  ['empty', ''],
  ['of another key', JSON.stringify(record('b', 'r'))],
  ['null', 'null'],
])('a record file that is %s is a miss and can be written again', async (_name, text) => {
  const cache = createLocalCache(directory);
  writeFileSync(join(directory, hexOf(digestOf('a'))), text);
  expect(await cache.get(keyOf('a'))).toBeUndefined();
  expect(await cache.put(record('a', 'new'))).toEqual(record('a', 'new'));
});

test('list yields every record and ignores temporary files', async () => {
  const cache = createLocalCache(directory);
  for (const key of ['a', 'b', 'c']) await cache.put(record(key, key));
  writeFileSync(join(directory, '.half-written'), '{');
  const seen = [];
  for await (const one of cache.list()) seen.push(one.key);
  expect(seen.sort()).toEqual(['a', 'b', 'c'].map((key) => digestOf(key)).sort());
  expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual(['.half-written']);
});

test('deleteUnused keeps a record that was used since the limit and deletes an older one', async () => {
  const cache = createLocalCache(directory);
  await cache.put(record('a', 'a'));
  expect(cache.touch(keyOf('a'), 5_000)).toBe(true);
  expect(cache.deleteUnused(keyOf('a'), 5_000)).toBe(false);
  expect(await cache.get(keyOf('a'))).toEqual(record('a', 'a'));
  expect(cache.deleteUnused(keyOf('a'), 6_000)).toBe(true);
  expect(await cache.get(keyOf('a'))).toBeUndefined();
  expect(cache.touch(keyOf('a'), 7_000)).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});
