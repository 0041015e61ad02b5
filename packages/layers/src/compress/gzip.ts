import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { inPieces } from './in-pieces.ts';

/** Fixed, since block boundaries affect the compressed bytes. */
const BLOCK = 1024 * 1024;
const DICTIONARY = 32 * 1024;
const USUAL_LEVEL = 6;
/** Blocks compressed concurrently: enough to keep every pool thread busy while the oldest block is written. */
const IN_FLIGHT = 6;
/** "Member header": deflate, no name, no time, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);

/**
 * Compresses `source` into one gzip member. Compresses blocks of 1 MiB concurrently on the thread pool, each with the
 * end of the block before as dictionary, so the output does not depend on the machine, its cores or the chunks of the
 * input. Stores blocks that look incompressible, on which deflate is slowest. A chunk is valid until the next one is
 * requested.
 */
export async function* gzip(
  source: AsyncIterable<Uint8Array>,
  { level = USUAL_LEVEL, signal }: { readonly level?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield HEADER;
  const compressed: Promise<readonly Buffer[]>[] = [];
  let checksum = 0;
  let size = 0;
  try {
    for await (const { block, dictionary, isLast } of inBlocks(source)) {
      signal?.throwIfAborted();
      checksum = crc32(block, checksum);
      size += block.length;
      compressed.push(compress({ block, dictionary, isLast }, level));
      if (compressed.length >= IN_FLIGHT) yield* await next(compressed);
    }
    while (compressed.length > 0) yield* await next(compressed);
  } finally {
    await Promise.allSettled(compressed);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

interface Block {
  readonly block: Buffer;
  readonly dictionary: Buffer | undefined;
  readonly isLast: boolean;
}

/** Yields full blocks and a last block, which may be shorter or empty. */
async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Block, void, undefined> {
  // One block more is held back until it is known not to be the last. A buffer is reused only after its block, and the
  // next block which has its end as dictionary, are compressed.
  const buffers = Array.from({ length: IN_FLIGHT + 2 }, () => Buffer.allocUnsafeSlow(BLOCK));
  let held: Buffer | undefined;
  let dictionary: Buffer | undefined;
  for await (const block of inPieces(source, () => nextOf(buffers))) {
    if (held !== undefined) {
      yield { block: held, dictionary, isLast: false };
      dictionary = held.subarray(BLOCK - DICTIONARY);
    }
    held = block;
  }
  yield { block: held ?? Buffer.alloc(0), dictionary, isLast: true };
}

function nextOf(buffers: Buffer[]): Buffer {
  const buffer = buffers.shift() ?? Buffer.allocUnsafeSlow(BLOCK);
  buffers.push(buffer);
  return buffer;
}

/** Compresses a block. The returned buffers may be slices of the block. */
async function compress({ block, dictionary, isLast }: Block, level: number): Promise<readonly Buffer[]> {
  if (!isLast && isDense(block)) return stored(block);
  const finishFlush = isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  return [await deflateBlock(block, { level, finishFlush, ...(dictionary && { dictionary }) })];
}

const SAMPLES = 4;
const SAMPLE = 4096;

/** Samples a full block to decide whether it is incompressible. */
function isDense(block: Buffer): boolean {
  const pieces = Array.from({ length: SAMPLES }, (_, at) =>
    block.subarray(at * (BLOCK / SAMPLES), at * (BLOCK / SAMPLES) + SAMPLE),
  );
  const sample = Buffer.concat(pieces);
  return deflateRawSync(sample, { level: 1 }).length > sample.length * 0.99;
}

const LONGEST_STORED = 0xffff;

/** Returns "non-compressed blocks" of RFC 1951. The flush before them ends at a byte boundary. */
function stored(block: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < block.length; at += LONGEST_STORED) {
    const part = block.subarray(at, at + LONGEST_STORED);
    const header = Buffer.alloc(5);
    header.writeUInt16LE(part.length, 1);
    header.writeUInt16LE(part.length ^ 0xffff, 3);
    parts.push(header, part);
  }
  return parts;
}

async function next(compressed: Promise<readonly Buffer[]>[]): Promise<readonly Buffer[]> {
  const [first] = compressed;
  if (first === undefined) throw new Error('Expected a block in flight');
  const bytes = await first;
  compressed.shift();
  return bytes;
}
