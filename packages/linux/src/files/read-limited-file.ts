import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { errnoName, TbuildError, type ErrorCode } from '@tbuild/errors';

export interface ReadLimits {
  /** The file's role and name, which begin each message, e.g. `Ignore file "a/.dockerignore"`. */
  readonly what: string;
  /** The code of the errors. Default: `CONTEXT`. */
  readonly code?: ErrorCode;
  /** The largest size in bytes. Default: 16 MiB, the largest message of BuildKit's protocol. */
  readonly limit?: number;
  /** Whether to read a pipe too, which waits for its writer. Default: false. */
  readonly pipes?: boolean;
}

const LARGEST_MESSAGE = 16 * 1024 * 1024;

/**
 * Reads a file that somebody else may have created: a regular file within the limit. It opens nothing else, so that
 * neither a FIFO blocks nor a device acts. Returns undefined if there is no such file.
 *
 * @throws TbuildError if the file has another type, is too large or cannot be read.
 */
export function readLimitedFile(path: string, limits: ReadLimits): Buffer | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const isPipe = checkKind(stats, limits);
    const fd = openSync(path, isPipe ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      // The file may have been replaced since stat.
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

/** Returns whether the file is a pipe rather than a regular file. @throws TbuildError if it is neither. */
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

/** Pipes and files in /proc report no size. */
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
