import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { emptyTrash, moveToTrash, storeLayout } from './index.ts';

/** Moves trees, files and links into the trash of a new store. */
function fullTrash() {
  const root = mkdtempSync(join(tmpdir(), 'trash-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const store = storeLayout(root);
  for (let at = 0; at < 10; at++) {
    mkdirSync(join(root, `tree-${at}/below`), { recursive: true });
    writeFileSync(join(root, `tree-${at}/below/file`), '');
  }
  writeFileSync(join(root, 'file'), '');
  symlinkSync('nowhere', join(root, 'link'));
  for (const name of readdirSync(root)) expect(moveToTrash(store, join(root, name))).toBe(true);
  expect(moveToTrash(store, join(root, 'missing'))).toBe(false);
  expect(readdirSync(root)).toEqual(['trash']);
  return store;
}

test.each([
  ['by rm', '/usr/bin:/bin'],
  ['where there is no rm', '/nowhere'],
])('emptyTrash deletes everything, %s', async (_, path) => {
  const store = fullTrash();
  vi.stubEnv('PATH', path);
  onTestFinished(() => void vi.unstubAllEnvs());
  await emptyTrash(store);
  expect(readdirSync(store.trash)).toEqual([]);
});
