import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SLIM_SNAPSHOT } from './slim-snapshot.ts';

const directory = mkdtempSync(join(tmpdir(), 'slim-'));
afterAll(() => rmSync(directory, { recursive: true }));

function slim(...parts: readonly Buffer[]): Buffer {
  const path = join(directory, 'snapshot');
  writeFileSync(path, Buffer.concat(parts));
  execFileSync(process.execPath, ['-e', SLIM_SNAPSHOT, path]);
  return readFileSync(path);
}

const version = Buffer.from(process.versions.v8);
const words = (values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
const headerWith = (rehashes: number): Buffer => Buffer.concat([words([4, rehashes, 12345]), version]);
const part = (text: string): Buffer => Buffer.concat([words([text.length, 0]), Buffer.from(text)]);

test('hashes are kept, and the code of modules at the end is cut off', () => {
  const heap = Buffer.from('a heap of odd length');
  const code = [words([2, 0]), part('fs'), part('code of fs'), part('net'), part('code of net')];
  expect(slim(headerWith(1), heap, ...code)).toEqual(Buffer.concat([headerWith(0), heap, words([0, 0])]));
});

// Each word seems to be the length of a part that ends among the zeros, each of which seems to be an empty part.
test('a file that ends in zeros is left whole', () => {
  const length = 1 << 21;
  const lengths = Array.from({ length: length / 8 }, (_, at) => [length - 8 * (at + 1), 0]).flat();
  const rest = [words(lengths), Buffer.alloc(length)];
  expect(slim(headerWith(1), ...rest).equals(Buffer.concat([headerWith(0), ...rest]))).toBe(true);
});
