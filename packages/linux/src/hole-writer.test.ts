import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { copyFileBytes, createHoleWriter } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'hole-writer-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MIB = 1 << 20;
const zeros = Buffer.alloc(MIB);
const bytes = Buffer.alloc(MIB, 'bytes');
/** Zeros but for one byte in the middle. */
const almost = Buffer.alloc(MIB);
almost[MIB / 2 + 1] = 1;

function written(chunks: readonly Uint8Array[]): { path: string; size: number; onDisk: number } {
  const path = join(directory, 'file');
  const fd = openSync(path, 'w');
  const file = createHoleWriter(fd);
  for (const chunk of chunks) file.write(chunk);
  const size = file.finish();
  closeSync(fd);
  return { path, size, onDisk: statSync(path).blocks * 512 };
}

const cases: [name: string, chunks: Uint8Array[], onDisk: number][] = [
  ['nothing', [], 0],
  ['bytes', [bytes, bytes], 2 * MIB],
  ['zeros', [zeros, zeros], 0],
  ['zeros between', [bytes, zeros, bytes], 2 * MIB],
  ['zeros at the end', [bytes, zeros], MIB],
  ['zeros that are few', [bytes, zeros.subarray(0, 100)], MIB + 4096],
  ['zeros of an odd length', [zeros.subarray(0, 70_001), bytes.subarray(0, 1)], 4096],
  ['almost zeros', [almost], MIB],
];

test.each(cases)('%s', (_, chunks, onDisk) => {
  const file = written(chunks);
  expect(readFileSync(file.path).equals(Buffer.concat(chunks))).toBe(true);
  expect(file.size).toBe(Buffer.concat(chunks).length);
  expect(file.onDisk).toBeLessThanOrEqual(onDisk);
});

test('a sparse file is copied as one', () => {
  const [from, to] = [join(directory, 'from'), join(directory, 'to')];
  writeFileSync(from, 'begin');
  truncateSync(from, 30 * MIB + 7);
  const fd = openSync(to, 'w');
  expect(copyFileBytes(from, fd)).toBe(30 * MIB + 7);
  closeSync(fd);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  expect(statSync(to).blocks * 512).toBeLessThanOrEqual(2 * MIB);
});
