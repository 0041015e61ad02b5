import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { gzip } from './gzip.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function gzipped(bytes: Uint8Array, pieceSize: number): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of gzip(pieces(bytes, pieceSize))) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all);
}

const MiB = 1024 * 1024;
const text = Buffer.from(Array.from({ length: 400_000 }, (_, index) => `line ${index * 7919}\n`).join(''));

test.each([
  ['nothing', new Uint8Array()],
  ['one byte', Uint8Array.of(7)],
  ['exactly one block', Buffer.alloc(MiB, 'ab')],
  ['a byte more than one block', Buffer.alloc(MiB + 1, 'abc')],
  ['eight blocks that cannot be compressed', randomBytes(8 * MiB)],
  ['text', text],
])('gzip round-trips %s', async (_name, bytes) => {
  const compressed = await gzipped(bytes, 100_003);
  expect(digestOf(gunzipSync(compressed))).toBe(digestOf(bytes));
});

test('gzip output does not depend on how the input is chunked', async () => {
  const digests = await Promise.all(
    [1 << 16, 12_345, text.length].map(async (size) => digestOf(await gzipped(text, size))),
  );
  expect(new Set(digests).size).toBe(1);
});

test('gzip output is the same on every machine and Node version', async () => {
  expect(digestOf(await gzipped(text, 65_536))).toBe(
    'sha256:4ada78d06f742f7add6a943a59d5392957ec47942a4152295d371557c24537be',
  );
});

test('gzip finds repetition across block boundaries', async () => {
  const noise = createHash('sha512').update('x').digest();
  const bytes = Buffer.concat([Buffer.alloc(MiB - 20_000), ...Array.from({ length: 313 }, () => noise)]);
  expect((await gzipped(bytes, MiB)).length).toBeLessThan(3000);
});

test('gzip fails if its source fails', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield text;
    throw new Error('gone');
  }
  await expect(async () => {
    for await (const _ of gzip(failing()));
  }).rejects.toThrow('gone');
});

test('gzip stores incompressible blocks between compressible ones', async () => {
  const bytes = Buffer.concat([
    text.subarray(0, MiB),
    randomBytes(2 * MiB),
    text.subarray(0, MiB),
    randomBytes(MiB / 2),
  ]);
  const compressed = await gzipped(bytes, 77_777);
  expect(digestOf(gunzipSync(compressed))).toBe(digestOf(bytes));
  expect(compressed.length).toBeLessThan(bytes.length - MiB);
});
