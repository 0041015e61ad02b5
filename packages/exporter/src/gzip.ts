import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

/** Fixed, since block boundaries show in the compressed bytes. */
const BLOCK = 1024 * 1024;
const DICTIONARY = 32 * 1024;
const USUAL_LEVEL = 6;
/** Blocks on their way at once: enough to keep every thread of the pool busy while the oldest is written. */
const IN_FLIGHT = 6;
/** "Member header": deflate, no name, no time, system unknown. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);

/**
 * The bytes of `source` as one gzip member. Blocks of 1 MiB are compressed side by side on the thread pool,
 * each with the end of the one before as dictionary; so the result is the same on every machine,
 * whatever the number of cores and the pieces in which the bytes come.
 */
export async function* gzip(
  source: AsyncIterable<Uint8Array>,
  { level = USUAL_LEVEL, signal }: { readonly level?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield HEADER;
  const compressed: Promise<Buffer>[] = [];
  let checksum = 0;
  let size = 0;
  try {
    for await (const { block, dictionary, isLast } of inBlocks(source)) {
      signal?.throwIfAborted();
      checksum = crc32(block, checksum);
      size += block.length;
      compressed.push(compress({ block, dictionary, isLast }, level));
      if (compressed.length >= IN_FLIGHT) yield await next(compressed);
    }
    while (compressed.length > 0) yield await next(compressed);
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

/** All blocks but the last are full; there is always a last one, which may be empty. */
async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Block, void, undefined> {
  let block = Buffer.allocUnsafeSlow(BLOCK);
  let filled = 0;
  let dictionary: Buffer | undefined;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      if (filled === BLOCK) {
        yield { block, dictionary, isLast: false };
        dictionary = block.subarray(BLOCK - DICTIONARY);
        [block, filled] = [Buffer.allocUnsafeSlow(BLOCK), 0];
      }
      const part = chunk.subarray(offset, offset + BLOCK - filled);
      block.set(part, filled);
      filled += part.length;
      offset += part.length;
    }
  }
  yield { block: block.subarray(0, filled), dictionary, isLast: true };
}

function compress({ block, dictionary, isLast }: Block, level: number): Promise<Buffer> {
  const finishFlush = isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  return deflateBlock(block, { level, finishFlush, ...(dictionary && { dictionary }) });
}

async function next(compressed: Promise<Buffer>[]): Promise<Buffer> {
  const [first] = compressed;
  if (first === undefined) throw new Error('No block is being compressed');
  const bytes = await first;
  compressed.shift();
  return bytes;
}
