import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { UnpackGuard } from './unpack-guard.ts';

const directory = tmpdir();

test('an archive may have as many bytes and entries as the limits say, and not one more', () => {
  const guard = new UnpackGuard({ directory, size: 10, entries: 2, memory: 1000, free: 0 });
  guard.addBytes(4);
  guard.addBytes(6);
  guard.addEntry();
  guard.addEntry();
  expect(() => guard.addBytes(1)).toThrow('The archive has more than 10 bytes');
  expect(() => guard.addEntry()).toThrow('The archive has more than 2 entries');
  guard.addName('a'.repeat(300));
  expect(() => guard.addName('')).toThrow('The archive needs more than 1000 bytes of memory for its names');
});

test('an archive is stopped at its first byte, and at its first entry, on a disk with too little room', () => {
  const { blocks, bsize } = statfsSync(directory);
  const limits = { directory, size: 10, entries: 2, memory: 1000, free: (blocks + 1) * bsize };
  expect(() => new UnpackGuard(limits).addBytes(1)).toThrow('No space left');
  expect(() => new UnpackGuard(limits).addEntry()).toThrow('No space left');
  new UnpackGuard(undefined).addBytes(Number.MAX_SAFE_INTEGER);
});
