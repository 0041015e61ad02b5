import { spawn } from 'node:child_process';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { errnoName, TbuildError } from '@tbuild/errors';
import { archiveError } from './tar/archive-error.ts';
import { splitAtFrames } from './zstd-frames.ts';

export type Compression = 'uncompressed' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/**
 * Decompresses `source` and reads it to its end. For formats that Node lacks it runs the program of the same name.
 * @throws TbuildError SNAPSHOT for damaged data, UNSUPPORTED if the program is not installed.
 */
export function decompress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === 'uncompressed') return source;
  if (compression === 'gzip') return through(source, zlib.createGunzip(OPTIONS));
  const zstd = compression === 'zstd' ? createZstd() : undefined;
  return zstd === undefined ? throughProgram(source, compression) : through(splitAtFrames(source), zstd);
}

const MAGIC: readonly (readonly [compression: Compression, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Detects a compression by the first six bytes of the data. */
export function detectCompression(head: Uint8Array): Compression {
  return MAGIC.find(([, bytes]) => bytes.every((byte, at) => head[at] === byte))?.[0] ?? 'uncompressed';
}

export interface Decompressed {
  readonly compression: Compression;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Detects one of the given compressions by the first bytes and decompresses the data. */
export async function decompressAny(
  source: AsyncIterable<Uint8Array>,
  ways: readonly Compression[] = MAGIC.map(([compression]) => compression),
): Promise<Decompressed> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < LONGEST_MAGIC) {
    const step = await iterator.next();
    if (step.done === true) break;
    head = head.length === 0 ? step.value : Buffer.concat([head, step.value]);
  }
  const whole = async function* (): AsyncGenerator<Uint8Array, void> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  const found = detectCompression(head);
  const compression = ways.includes(found) ? found : 'uncompressed';
  return { compression, bytes: decompress(whole(), compression) };
}

const LONGEST_MAGIC = 6;
const CHUNK = 1024 * 1024;
/** Lets decompression run ahead of unpacking. With Node's default mark they wait for each other. */
const OPTIONS = { chunkSize: CHUNK, readableHighWaterMark: 2 * CHUNK };

/** Node 22 and later have it, but the type definitions do not declare it. */
function createZstd(): Duplex | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  const stream: unknown = typeof create === 'function' ? Reflect.apply(create, zlib, [OPTIONS]) : undefined;
  return isDuplex(stream) ? stream : undefined;
}

function isDuplex(value: unknown): value is Duplex {
  return value instanceof Readable && 'writable' in value;
}

async function* through(source: AsyncIterable<Uint8Array>, stream: Duplex): AsyncGenerator<Uint8Array, void> {
  const feeding = pipeline(Readable.from(source), stream);
  feeding.catch(() => {});
  try {
    yield* stream;
    await feeding;
  } catch (error) {
    throw /^Z(STD)?_/.test(errnoName(error) ?? '') ? archiveError('Compressed data is damaged', error) : error;
  } finally {
    stream.destroy();
  }
}

async function* throughProgram(source: AsyncIterable<Uint8Array>, program: string): AsyncGenerator<Uint8Array, void> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const feeding = pipeline(Readable.from(source), child.stdin);
  feeding.catch(() => {});
  exit.catch(() => {});
  try {
    yield* child.stdout;
    const status = await exit;
    if (status !== 0) throw archiveError('Compressed data is damaged');
    await feeding;
  } catch (error) {
    if (errnoName(error) !== 'ENOENT') throw error;
    throw new TbuildError(
      'UNSUPPORTED',
      `Data is compressed with ${program}, which Node ${process.versions.node} cannot read`,
      {
        hint: `Install the program ${program}${program === 'zstd' ? ', or use Node 22.15 or later' : ''}`,
        cause: error,
      },
    );
  } finally {
    child.kill();
  }
}
