import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { splitAtFrames } from './zstd-frames.ts';

const needsZstd = needs('zstd');

/** Of nothing where zstd is lacking, which skips the tests. */
function compressed(bytes: Uint8Array, ...options: string[]): Buffer {
  if (needsZstd.skip === true) return Buffer.alloc(0);
  return execFileSync('zstd', ['-c', ...options], { input: bytes });
}

/** "Skippable_Frame" of RFC 8878, of which a decompressor takes no notice. */
function skippable(content: Uint8Array, last = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + last, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

const noise = randomBytes(20_000);
const frames: [name: string, bytes: Buffer][] = [
  ['nothing', compressed(Buffer.alloc(0))],
  ['nothing, without a checksum', compressed(Buffer.alloc(0), '--no-check')],
  ['text', compressed(Buffer.from('text'))],
  ['one byte repeated', compressed(Buffer.alloc(1_000_000, 'a'))],
  ['one byte repeated, without a checksum', compressed(Buffer.alloc(1_000_000, 'a'), '--no-check')],
  ['noise, in blocks that are not compressed', compressed(noise)],
  ['noise of a size that is not told', compressed(noise, '--no-content-size')],
  ['much text, far apart', compressed(Buffer.alloc(3_000_000, 'many words '), '-19', '--long=27')],
  ['nothing to be skipped', skippable(Buffer.alloc(0))],
  ['something to be skipped', skippable(noise.subarray(0, 1000), 15)],
];

test.each([1, 2, 7, 1000, 10_000_000])('pieces of %i bytes end where frames end', needsZstd, async (size) => {
  const all = Buffer.concat(frames.map(([, bytes]) => bytes));
  const ends = new Set<number>();
  const seen: Uint8Array[] = [];
  let count = 0;
  for await (const piece of splitAtFrames(pieces(all, size))) {
    expect(piece.length).toBeGreaterThan(0);
    seen.push(piece);
    ends.add((count += piece.length));
  }
  expect(Buffer.concat(seen).equals(all)).toBe(true);
  let end = 0;
  const wanted = frames.map(([name, bytes]) => [name, (end += bytes.length)] as const);
  expect(wanted.filter(([, each]) => !ends.has(each))).toEqual([]);
});

test.each(frames)('alone it is one piece: %s', needsZstd, async (_, bytes) => {
  const found: number[] = [];
  for await (const { length } of splitAtFrames(pieces(bytes, bytes.length))) found.push(length);
  expect(found).toEqual([bytes.length]);
});

test('what is no frame, or ends within one, is left to the decompressor', needsZstd, async () => {
  const [, text = Buffer.alloc(0)] = frames.find(([name]) => name === 'text') ?? [];
  for (const bytes of [noise, text.subarray(0, 7), Buffer.concat([text, noise])]) {
    const seen: Uint8Array[] = [];
    for await (const piece of splitAtFrames(pieces(bytes, 5))) seen.push(piece);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
  }
});
