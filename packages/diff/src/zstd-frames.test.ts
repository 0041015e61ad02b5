import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { splitAtFrames } from './zstd-frames.ts';

const needsZstd = needs('zstd');

/** Empty if zstd is missing, which skips the tests. */
function compressed(bytes: Uint8Array, ...options: string[]): Buffer {
  if (needsZstd.skip === true) return Buffer.alloc(0);
  return execFileSync('zstd', ['-c', ...options], { input: bytes });
}

/** A "Skippable_Frame" of RFC 8878, which decompressors ignore. */
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
  ['an empty frame', compressed(Buffer.alloc(0))],
  ['an empty frame without a checksum', compressed(Buffer.alloc(0), '--no-check')],
  ['text', compressed(Buffer.from('text'))],
  ['one byte repeated', compressed(Buffer.alloc(1_000_000, 'a'))],
  ['one byte repeated, without a checksum', compressed(Buffer.alloc(1_000_000, 'a'), '--no-check')],
  ['noise in uncompressed blocks', compressed(noise)],
  ['noise without a content size', compressed(noise, '--no-content-size')],
  ['long text with a large window', compressed(Buffer.alloc(3_000_000, 'many words '), '-19', '--long=27')],
  ['an empty skippable frame', skippable(Buffer.alloc(0))],
  ['a skippable frame', skippable(noise.subarray(0, 1000), 15)],
];

test.each([1, 2, 7, 1000, 10_000_000])(
  'splitAtFrames splits chunks of %i bytes where frames end',
  needsZstd,
  async (size) => {
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
  },
);

test.each(frames)('splitAtFrames passes a single frame as one chunk: %s', needsZstd, async (_, bytes) => {
  const found: number[] = [];
  for await (const { length } of splitAtFrames(pieces(bytes, bytes.length))) found.push(length);
  expect(found).toEqual([bytes.length]);
});

test('splitAtFrames passes data without a complete frame unchanged', needsZstd, async () => {
  const [, text = Buffer.alloc(0)] = frames.find(([name]) => name === 'text') ?? [];
  for (const bytes of [noise, text.subarray(0, 7), Buffer.concat([text, noise])]) {
    const seen: Uint8Array[] = [];
    for await (const piece of splitAtFrames(pieces(bytes, 5))) seen.push(piece);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
  }
});
