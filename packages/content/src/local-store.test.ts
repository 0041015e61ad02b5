import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('blobs lie where the image layout has them and temporary files do not stay', async () => {
  const root = emptyRoot();
  const store = createLocalStore(root);
  const { digest } = await store.write(fromBytes(Buffer.from('hello')));
  expect(store.path(digest)).toBe(join(root, 'blobs/sha256', digest.slice(7)));
  expect(readFileSync(store.path(digest), 'utf8')).toBe('hello');
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('a corrupt blob is refused, removed, and can be written again', async () => {
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

test("a corrupt blob of somebody else's layout is refused and left alone", async () => {
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

test('what was written here and changed since is refused', async () => {
  const store = createLocalStore(emptyRoot());
  const { digest, size } = await store.write(fromBytes(Buffer.from('right')));
  const target = { mediaType: 'text/plain', digest, size };
  expect(Buffer.from(await readWhole(store, target)).toString()).toBe('right');
  appendFileSync(store.path(digest), ' no more');
  await expect(readWhole(store, target)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});
