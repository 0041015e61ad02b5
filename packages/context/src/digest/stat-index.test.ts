import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { digestOf } from '@tbuild/oci';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { patiently } from '../../../../test/support/patience.ts';
import { openDirectory, openStatIndex, selectFiles, type StatIndex, type TreeEntry } from '../index.ts';
import { decodeStatTable } from './stat-table.ts';

const base = mkdtempSync(join(tmpdir(), 'stat-index-'));
const root = join(base, 'files');
const file = join(base, 'index/one');
afterAll(() => rmSync(base, { recursive: true }));

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  rmSync(file, { force: true });
  mkdirSync(root);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), name);
});

function entries(): readonly TreeEntry[] {
  return openDirectory(root).list('');
}

function digestAll(index: StatIndex): string[] {
  return entries().map((entry) => index.digest(entry));
}

/** Longer than the times of two changes can be the same. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

/** Returns the names of the rows that a later build trusts. */
function trusted(): string[] {
  const table = decodeStatTable(readFileSync(file));
  return (table?.paths ?? []).filter((_, row) => !Number.isNaN(table?.changed[row]));
}

test('digests are those of the bytes and persist in the index file', async () => {
  await settle();
  const index = openStatIndex(file);
  expect(digestAll(index)).toEqual(['a', 'b', 'c'].map(digestOf));
  index.save();
  expect(trusted()).toEqual(['a', 'b', 'c']);
  expect(digestAll(openStatIndex(file))).toEqual(['a', 'b', 'c'].map(digestOf));
  expect(readdirSync(join(base, 'index'))).toEqual(['one']);
});

/** Retries, because on a loaded machine the change may be old by the time it is looked at. */
async function justAfterChange(check: () => void): Promise<void> {
  await vi.waitFor(() => {
    writeFileSync(join(root, 'b'), randomUUID());
    check();
  }, patiently);
}

test('a file that changed just before it was hashed is not trusted until the next build', async () => {
  await settle();
  await justAfterChange(() => {
    const index = openStatIndex(file);
    digestAll(index);
    index.save();
    expect(trusted()).toEqual(['a', 'c']);
  });
  await settle();
  const later = openStatIndex(file);
  digestAll(later);
  later.save();
  expect(trusted()).toEqual(['a', 'b', 'c']);
});

test('a file that gets another digest within a build is refused', async () => {
  await settle();
  const index = openStatIndex(file);
  digestAll(index);
  writeFileSync(join(root, 'c'), 'c');
  expect(digestAll(index)).toEqual(['a', 'b', 'c'].map(digestOf));
  writeFileSync(join(root, 'b'), 'B');
  expect(() => digestAll(index)).toThrow('File "b" changed during the build');
});

test('hasStableStat reports whether a change would show in the stats', async () => {
  await settle();
  await justAfterChange(() => {
    const index = openStatIndex(file);
    digestAll(index);
    expect(entries().map((entry) => index.hasStableStat(entry))).toEqual([true, false, true]);
  });
});

test('an edit that keeps size and mtime is detected by its ctime', async () => {
  await settle();
  const index = openStatIndex(file);
  digestAll(index);
  index.save();
  const [a] = entries();
  writeFileSync(join(root, 'a'), 'A');
  utimesSync(join(root, 'a'), new Date(), (a?.stats.mtimeMs ?? 0) / 1000);
  expect(digestAll(openStatIndex(file))).toEqual(['A', 'b', 'c'].map(digestOf));
});

test('the index follows files that are added, removed and renamed', async () => {
  await settle();
  const index = openStatIndex(file);
  digestAll(index);
  index.save();
  renameSync(join(root, 'b'), join(root, 'd'));
  writeFileSync(join(root, '0'), 'new');
  const second = openStatIndex(file);
  expect(digestAll(second)).toEqual(['new', 'a', 'c', 'b'].map(digestOf));
  second.save();
  expect(decodeStatTable(readFileSync(file))?.paths).toEqual(['0', 'a', 'c', 'd', 'b']);
});

test.each([
  ['empty', 0],
  ['cut', 100],
  ['changed', -1],
])('a damaged file (%s) is an empty index', async (_, length) => {
  await settle();
  const index = openStatIndex(file);
  digestAll(index);
  index.save();
  const bytes = readFileSync(file);
  if (length === -1) bytes[60] = (bytes[60] ?? 0) ^ 1;
  writeFileSync(file, length === -1 ? bytes : bytes.subarray(0, length));
  expect(digestAll(openStatIndex(file))).toEqual(['a', 'b', 'c'].map(digestOf));
});

test('hard links share a digest, and known() returns it without reading', () => {
  linkSync(join(root, 'a'), join(root, 'z'));
  const index = openStatIndex(file);
  expect(digestAll(index)).toEqual(['a', 'b', 'c', 'a'].map(digestOf));
  const [a] = entries();
  writeFileSync(join(root, 'a'), 'other');
  expect(a && index.known(a)).toBe(digestOf('a'));
});

test('a file larger than the buffer is hashed as a whole', () => {
  const bytes = Buffer.alloc(700_001, 'x');
  writeFileSync(join(root, 'a'), bytes);
  expect(digestAll(openStatIndex(file))[0]).toBe(digestOf(bytes));
});

test('digestOnce returns the bytes of a file that was not read yet, which digest then does not read again', async () => {
  await settle();
  const index = openStatIndex(file);
  const listed = entries();
  expect(listed.map((entry) => String(index.digestOnce(entry)))).toEqual(['a', 'b', 'c']);
  expect(listed.map((entry) => index.digestOnce(entry))).toEqual(listed.map(() => undefined));
  for (const { location } of listed) rmSync(location);
  expect(listed.map((entry) => index.digest(entry))).toEqual(['a', 'b', 'c'].map(digestOf));
});

test('digestOnce leaves files with several names and large ones to digest', async () => {
  linkSync(join(root, 'a'), join(root, 'link'));
  truncateSync(join(root, 'b'), (1 << 18) + 1);
  await settle();
  const index = openStatIndex(file);
  expect(entries().map((entry) => String(index.digestOnce(entry)))).toEqual([
    'undefined',
    'undefined',
    'c',
    'undefined',
  ]);
});

test('The digest of a file that changed after digestOnce is that of the bytes that it returned', async () => {
  await settle();
  const index = openStatIndex(file);
  const listed = entries();
  for (const entry of listed) index.digestOnce(entry);
  writeFileSync(join(root, 'b'), 'other');
  expect(listed.map((entry) => index.digest(entry))).toEqual(['a', 'b', 'c'].map(digestOf));
});

test('A selection has no stable stats if a file changed between its listing and digestOnce', async () => {
  await settle();
  const index = openStatIndex(file);
  const selection = runSync(selectFiles(openDirectory(root), { sources: ['.'] }));
  const opened = index.openSelection(selection, { owner: 'root' });
  writeFileSync(join(root, 'b'), 'other');
  for (const { files } of selection) for (const { entry } of files) index.digestOnce(entry);
  runSync(opened.digest());
  expect([opened.isNew, index.haveStableStats(selection)]).toEqual([true, false]);
});
