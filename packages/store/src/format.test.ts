import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireFormat } from './format.ts';
import { storeLayout } from './layout.ts';
import { protectStore } from './protect-store.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'tbuild-format-'))));
afterEach(() => rmSync(root, { recursive: true }));

test.each([
  ['without a mark', undefined],
  ['whose mark a crash left empty', ''],
  ['of this format', '1\n'],
])('a store %s is used and has the mark afterwards', (_, text) => {
  const store = storeLayout(root);
  if (text !== undefined) writeFileSync(store.format, text);
  requireFormat(store);
  expect(readFileSync(store.format, 'utf8')).toBe('1\n');
});

test('a store with recorded owners is refused to whoever expects real ones, and the other way round', () => {
  const store = storeLayout(root);
  requireFormat(store, 'recorded');
  requireFormat(store, 'recorded');
  expect(() => requireFormat(store)).toThrow('has format "1 with recorded owners", expected "1"');
  writeFileSync(store.format, '1\n');
  expect(() => requireFormat(store, 'recorded')).toThrow('has format "1", expected "1 with recorded owners"');
});

test.each(['2', '0', 'one'])('a store of format %s is refused and left alone', (text) => {
  const store = storeLayout(root);
  writeFileSync(store.format, `${text}\n`);
  expect(() => requireFormat(store)).toThrow(`has format "${text}", expected "1"`);
  expect(readFileSync(store.format, 'utf8')).toBe(`${text}\n`);
  expect(existsSync(store.leases)).toBe(false);
});

test('a directory that two commands begin to use at the same time is closed to others by both', () => {
  chmodSync(root, 0o755);
  const seen = statSync(root);
  const store = storeLayout(root);
  for (const _ of ['first', 'second']) {
    protectStore(store, seen);
    requireFormat(store);
  }
  expect(statSync(root).mode & 0o777).toBe(0o700);
});
