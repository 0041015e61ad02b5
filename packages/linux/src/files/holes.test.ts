import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { afterAll, expect, test } from 'vitest';
import { copyFileBytes, createHoleReader, createHoleWriter } from '../index.ts';

const directory = mkdtempSync(join(tmpdir(), 'hole-writer-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MIB = 1 << 20;
const zeros = Buffer.alloc(MIB);
const bytes = Buffer.alloc(MIB, 'bytes');
/** Zeros except for one byte in the middle. */
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
  ['an empty file', [], 0],
  ['data', [bytes, bytes], 2 * MIB],
  ['zeros', [zeros, zeros], 0],
  ['zeros between data', [bytes, zeros, bytes], 2 * MIB],
  ['zeros after data', [bytes, zeros], MIB],
  ['a short run of zeros', [bytes, zeros.subarray(0, 100)], MIB + 4096],
  ['zeros of an odd length', [zeros.subarray(0, 70_001), bytes.subarray(0, 1)], 4096],
  ['zeros in the pieces of a pipe', Array.from({ length: 100 }, () => zeros.subarray(0, 5000)), 0],
  ['an empty piece after zeros', [zeros, zeros.subarray(0, 0)], 0],
  ['a buffer with one byte that is not zero', [almost], MIB],
];

test.each(cases)('createHoleWriter writes %s, and holes take no space', (_, chunks, onDisk) => {
  const file = written(chunks);
  expect(readFileSync(file.path).equals(Buffer.concat(chunks))).toBe(true);
  expect(file.size).toBe(Buffer.concat(chunks).length);
  expect(file.onDisk).toBeLessThanOrEqual(onDisk);
});

test('copyFileBytes copies a sparse file as a sparse file', () => {
  const [from, to] = [join(directory, 'from'), join(directory, 'to')];
  writeFileSync(from, 'begin');
  truncateSync(from, 30 * MIB + 7);
  const fd = openSync(to, 'w');
  expect(runSync(copyFileBytes(from, fd))).toBe(30 * MIB + 7);
  closeSync(fd);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  expect(statSync(to).blocks * 512).toBeLessThanOrEqual(2 * MIB);
});

test('createHoleReader reads a sparse file from any position, also one that shrinks meanwhile', () => {
  const path = join(directory, 'holes');
  const fd = openSync(path, 'w+');
  for (const [text, at] of [
    ['begin', 0],
    ['middle', 5 * MIB + 3],
    ['again', 5 * MIB + 70_000],
  ] as const)
    writeSync(fd, text, at);
  ftruncateSync(fd, 9 * MIB);
  const expected = readFileSync(path);
  for (const start of [0, 3, MIB, 6 * MIB, 9 * MIB]) {
    readSync(fd, Buffer.alloc(start), 0, start, 0);
    const read = createHoleReader(fd, fstatSync(fd), start);
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.alloc(300_007, 'dirty');
      const count = read(chunk, 7, 300_000);
      if (count === 0) break;
      chunks.push(chunk.subarray(7, 7 + count));
    }
    expect(Buffer.concat(chunks).equals(expected.subarray(start))).toBe(true);
  }
  const stats = fstatSync(fd);
  ftruncateSync(fd, 10);
  const read = createHoleReader(fd, stats);
  expect(read(Buffer.alloc(100), 0, 100)).toBe(10);
  closeSync(fd);
});
