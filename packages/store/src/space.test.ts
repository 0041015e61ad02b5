import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountVolume } from '../../../test/faults/disk/volumes.ts';
import { needs } from '../../../test/support/requirements.ts';
import { runChecked } from '../../../test/support/run-process.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { isFull } from './space.ts';

test('a file system that reports no size is not full', needs('root'), async () => {
  const root = mkdtempSync(join(tmpdir(), 'tbuild-space-'));
  await runChecked('mount', ['-t', 'ramfs', 'ramfs', root]);
  try {
    expect(isFull({ root })).toBe(false);
  } finally {
    await runChecked('umount', [root]);
    rmdirSync(root);
  }
});

test('a store whose quota is used up is full', needs('root', 'btrfs'), async () => {
  await using volume = await mountVolume('btrfs', join(scratchDirectory('quota'), 'volume'));
  expect(isFull({ root: volume.path })).toBe(false);
  await using _full = await volume.fill(100_000, 'quota');
  expect(isFull({ root: volume.path })).toBe(true);
});
