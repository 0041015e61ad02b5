import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { errnoName, TbuildError, type ErrorCode } from '@tbuild/errors';

export interface ReadLimits {
  /** What the file is to the user, to begin a message with, e.g. `Ignore file "a/.dockerignore"`. */
  readonly what: string;
  /** Of the errors. Default: `CONTEXT`. */
  readonly code?: ErrorCode;
  /** In bytes. Default: 16 MiB, the largest message of BuildKit's protocol. */
  readonly limit?: number;
  /** Whether a pipe is read to its end as well, which waits for whoever writes. Default: false. */
  readonly pipes?: boolean;
}

const LARGEST_MESSAGE = 16 * 1024 * 1024;

/**
 * Reads a file that somebody else may have put there: a regular file within the limit. Nothing else is opened,
 * so that neither a FIFO makes the caller wait nor a device acts. Undefined when there is no such file.
 *
 * @throws TbuildError when it is anything else, has more bytes, or cannot be read.
 */
export function readLimitedFile(path: string, limits: ReadLimits): Buffer | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const isPipe = checkKind(stats, limits);
    const fd = openSync(path, isPipe ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      // It may be another file by now.
      const opened = fstatSync(fd);
      checkKind(opened, isPipe ? limits : { ...limits, pipes: false });
      return readOpen(fd, opened, limits);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const name = errnoName(error);
    if (error instanceof TbuildError || name === undefined) throw error;
    if (name === 'ENOENT' || name === 'ENOTDIR') return undefined;
    throw new TbuildError(limits.code ?? 'CONTEXT', `${limits.what} cannot be read (${name})`, { cause: error });
  }
}

/** Decides whether it is a pipe, and not a regular file. @throws TbuildError when it is neither. */
export function checkKind(stats: Stats, { what, code = 'CONTEXT', pipes = false }: ReadLimits): boolean {
  if (stats.isFile()) return false;
  if (pipes && stats.isFIFO()) return true;
  throw new TbuildError(code, `${what} is a ${kindOf(stats)}, expected a regular file${pipes ? ' or a pipe' : ''}`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'directory';
  if (stats.isFIFO()) return 'FIFO';
  if (stats.isSocket()) return 'socket';
  return stats.isCharacterDevice() ? 'character device' : 'block device';
}

/** A pipe has no size, nor have files of /proc. */
const SMALLEST_CHUNK = 64 * 1024;

function readOpen(
  fd: number,
  { size }: Stats,
  { what, code = 'CONTEXT', limit = LARGEST_MESSAGE }: ReadLimits,
): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  if (size > limit) throw tooLarge(`has ${size} bytes`);
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(size + 1 - total, SMALLEST_CHUNK));
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks, total);
    chunks.push(chunk.subarray(0, count));
    total += count;
    if (total > limit) throw tooLarge(`has more than ${limit} bytes`);
  }

  function tooLarge(found: string): TbuildError {
    return new TbuildError(code, `${what} ${found}, expected at most ${limit}`);
  }
}
