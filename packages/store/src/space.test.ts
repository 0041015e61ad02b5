import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { runChecked } from '../../../test/support/run-process.ts';
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
