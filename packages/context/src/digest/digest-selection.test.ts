import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { lsetxattr } from '@tbuild/linux';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createFileHasher, digestSelection, openDirectory, selectFiles } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'digest-selection-'));
const isRoot = process.getuid?.() === 0;
afterAll(() => rmSync(root, { recursive: true }));

beforeEach(() => {
  rmSync(root, { recursive: true });
  mkdirSync(join(root, 'dir/sub'), { recursive: true });
  writeFileSync(join(root, 'dir/a'), 'a');
  writeFileSync(join(root, 'dir/sub/b'), 'b');
  symlinkSync('a', join(root, 'dir/link'));
});

function digest(source = 'dir', owner: 'keep' | 'root' = 'root', shown = false): string {
  return runSync(
    digestSelection(runSync(selectFiles(openDirectory(root), { sources: [source] })), {
      hasher: createFileHasher(),
      owner,
      shown,
    }),
  );
}

const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

const changes: [name: string, change: () => void, counts: { root: boolean; keep: boolean }][] = [
  ['content', () => writeFileSync(join(root, 'dir/a'), 'A'), { root: true, keep: true }],
  ['mode of a file', () => chmodSync(join(root, 'dir/a'), 0o600), { root: true, keep: true }],
  ['mode of a sub-directory', () => chmodSync(join(root, 'dir/sub'), 0o700), { root: true, keep: true }],
  ['mode of the directory itself', () => chmodSync(join(root, 'dir'), 0o700), { root: false, keep: false }],
  ['mtime', () => utimesSync(join(root, 'dir/a'), 1, 1), { root: false, keep: false }],
  ['a new file', () => writeFileSync(join(root, 'dir/new'), ''), { root: true, keep: true }],
  ['a file gone', () => unlinkSync(join(root, 'dir/a')), { root: true, keep: true }],
  [
    'link target',
    () => (unlinkSync(join(root, 'dir/link')), symlinkSync('b', join(root, 'dir/link'))),
    { root: true, keep: true },
  ],
  ['something outside', () => writeFileSync(join(root, 'x'), ''), { root: false, keep: false }],
  [
    'a hard link in place of a copy',
    () => (
      unlinkSync(join(root, 'dir/a')),
      writeFileSync(join(root, 'x'), 'a'),
      linkSync(join(root, 'x'), join(root, 'dir/a'))
    ),
    { root: false, keep: false },
  ],
];

const privileged: typeof changes = [
  ['owner', () => chownSync(join(root, 'dir/a'), 5, 6), { root: false, keep: true }],
  ['capability', () => lsetxattr(join(root, 'dir/a'), 'security.capability', CAPABILITY), { root: false, keep: true }],
];

test.each([...changes, ...(isRoot ? privileged : [])])(
  'a change of this kind counts where a copy carries it over: %s',
  (_, change, counts) => {
    const before = { root: digest('dir', 'root'), keep: digest('dir', 'keep') };
    change();
    expect(digest('dir', 'root') !== before.root).toBe(counts.root);
    expect(digest('dir', 'keep') !== before.keep).toBe(counts.keep);
  },
);

test('the digest for a mount has the mode of the directory itself, unless it is the root, and not its name', () => {
  const [before, whole] = [digest('dir', 'root', true), digest('', 'root', true)];
  renameSync(join(root, 'dir'), join(root, 'renamed'));
  expect(digest('renamed', 'root', true)).toBe(before);
  chmodSync(join(root, 'renamed'), 0o700);
  expect(digest('renamed', 'root', true)).not.toBe(before);
  renameSync(join(root, 'renamed'), join(root, 'dir'));
  chmodSync(join(root, 'dir'), 0o755);
  chmodSync(root, 0o755);
  expect(digest('', 'root', true)).toBe(whole);
});

test('the digest of a selection keeps its format', () => {
  for (const path of ['dir/a', 'dir/sub/b']) chmodSync(join(root, path), 0o644);
  chmodSync(join(root, 'dir/sub'), 0o755);
  expect(digest()).toMatchInlineSnapshot(`"sha256:ace7756940405b51f0305fce7c269603ffe71a74c93113c2d7b59de59062d473"`);
});

test('the digest has names where the result depends on them', () => {
  writeFileSync(join(root, 'y'), 'same');
  const before = digest('[xy]');
  rmSync(join(root, 'y'));
  writeFileSync(join(root, 'x'), 'same');
  expect(digest('[xy]')).not.toBe(before);
});
