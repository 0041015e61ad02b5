import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDirectory, resolveDestination, resolvePath } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'resolve-path-'));

beforeAll(() => {
  mkdirSync(join(root, 'usr/lib'), { recursive: true });
  writeFileSync(join(root, 'usr/lib/a'), '');
  symlinkSync('usr/lib', join(root, 'lib'));
  symlinkSync('/lib/a', join(root, 'absolute'));
  symlinkSync('../../../usr', join(root, 'usr/lib/up'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('nowhere/x', join(root, 'broken'));
});
afterAll(() => rmSync(root, { recursive: true }));

const cases: [path: string, followLast: boolean, expected: string | undefined][] = [
  ['', true, ''],
  ['/', true, ''],
  ['..', true, ''],
  ['usr//./lib/a', true, 'usr/lib/a'],
  ['lib', false, 'lib'],
  ['lib', true, 'usr/lib'],
  ['lib/a', false, 'usr/lib/a'],
  ['/absolute', true, 'usr/lib/a'],
  ['lib/up/lib/a', true, 'usr/lib/a'],
  ['usr/lib/a/x', true, undefined],
  ['broken', true, undefined],
  ['broken', false, 'broken'],
  ['missing', true, undefined],
];

test.each(cases)('resolvePath(%j, followLast: %j) is %j', (path, followLast, expected) => {
  expect(resolvePath(openDirectory(root), path, { followLast })).toBe(expected);
});

const destinations: [path: string, expected: string][] = [
  ['lib/new/deep', 'usr/lib/new/deep'],
  ['broken', 'nowhere/x'],
  ['new/../lib', 'usr/lib'],
  ['/', ''],
];

test.each(destinations)('resolveDestination(%j) is %j', (path, expected) => {
  expect(resolveDestination(openDirectory(root), path)).toBe(expected);
});

test('a loop of symbolic links is refused', () => {
  expect(() => resolvePath(openDirectory(root), 'loop', { followLast: true })).toThrow(
    'Too many symbolic links in "loop"',
  );
});
