import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@tbuild/oci';
import { afterAll, expect, test } from 'vitest';
import { createLocalStore, fromBytes, openLayout, readWhole } from './index.ts';
import { testContentStore } from './testsuite.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-content-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const emptyRoot = () => mkdtempSync(join(scratch, 'store-'));

testContentStore('local store', async () => createLocalStore(emptyRoot()));

// What it did not write itself it verifies while it reads.
testContentStore('local store that another process wrote', async () => {
  const root = emptyRoot();
  const { write, createWriter } = createLocalStore(root);
  return { ...createLocalStore(root), write, createWriter };
});

test('blobs have the paths of an image layout, and no temporary files stay', async () => {
  const root = emptyRoot();
  const store = createLocalStore(root);
  const { digest } = await store.write(fromBytes(Buffer.from('hello')));
  expect(store.path(digest)).toBe(join(root, 'blobs/sha256', digest.slice(7)));
  expect(readFileSync(store.path(digest), 'utf8')).toBe('hello');
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('a corrupt blob is refused and removed, and can be written again', async () => {
  const root = emptyRoot();
  const bytes = Buffer.from('precious');
  const target = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
  await createLocalStore(root).write(fromBytes(bytes), target);
  const store = createLocalStore(root);
  writeFileSync(store.path(target.digest), 'precioux');
  await expect(readWhole(store, target)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(existsSync(store.path(target.digest))).toBe(false);
  await store.write(fromBytes(bytes), target);
  expect(await readWhole(store, target)).toEqual(bytes);
});

test('a directory in place of a blob counts as missing, and the blob can be written again', async () => {
  const store = createLocalStore(emptyRoot());
  const bytes = Buffer.from('precious');
  const target = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
  await store.write(fromBytes(bytes), target);
  rmSync(store.path(target.digest));
  mkdirSync(join(store.path(target.digest), 'inside'), { recursive: true });
  expect(await store.has({ digest: target.digest })).toBe(false);
  expect(await store.has({ digest: target.digest, size: statSync(store.path(target.digest)).size })).toBe(false);
  await expect(store.read(target)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  for await (const blob of store.list()) expect.fail(blob.digest);
  await store.write(fromBytes(bytes), target);
  expect(await readWhole(store, target)).toEqual(bytes);
});

test('a blob that is found is marked as used and keeps its mtime', async () => {
  const root = emptyRoot();
  const { digest, size } = await createLocalStore(root).write(fromBytes(Buffer.from('old')));
  const { path } = createLocalStore(root);
  utimesSync(path(digest), 1000, 2000);
  const timesOf = () => [statSync(path(digest)).atimeMs, statSync(path(digest)).mtimeMs];
  expect(createLocalStore(root).use(digest, size)).toBe(true);
  expect(timesOf()).toEqual([1000_000, 2000_000]);
  expect(createLocalStore(root, { usedAt: 3000_000 }).use(digest, size + 1)).toBe(false);
  expect(timesOf()).toEqual([1000_000, 2000_000]);
  expect(await createLocalStore(root, { usedAt: 3000_000 }).has({ digest })).toBe(true);
  expect(timesOf()).toEqual([3000_000, 2000_000]);
  expect(createLocalStore(root, { usedAt: 2500_000 }).use(digest)).toBe(true);
  expect(timesOf()).toEqual([3000_000, 2000_000]);
});

test("a corrupt blob of another program's layout is refused and kept", async () => {
  const root = emptyRoot();
  const store = createLocalStore(root);
  const { digest, size } = await store.write(fromBytes(Buffer.from('precious')));
  writeFileSync(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }));
  writeFileSync(store.path(digest), 'precioux');
  const { provider } = await openLayout(root);
  await expect(readWhole(provider, { mediaType: 'text/plain', digest, size })).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  });
  expect(existsSync(store.path(digest))).toBe(true);
});

test('a blob that changed after this process wrote it is refused', async () => {
  const store = createLocalStore(emptyRoot());
  const { digest, size } = await store.write(fromBytes(Buffer.from('right')));
  const target = { mediaType: 'text/plain', digest, size };
  expect(Buffer.from(await readWhole(store, target)).toString()).toBe('right');
  appendFileSync(store.path(digest), ' no more');
  await expect(readWhole(store, target)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});
