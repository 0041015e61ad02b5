import { readSync } from 'node:fs';
import { constants } from 'node:os';
import { lastError, libraryCall, systemError } from '../libc.ts';

/** Reads the next bytes of a file into `buffer` and returns their number; 0 at the end of the file. */
export type ReadNext = (buffer: Buffer, at: number, length: number) => number;

const seek = libraryCall('long lseek(int fd, long offset, int whence)');
/** `SEEK_DATA` and `SEEK_HOLE` of unistd.h. */
const [DATA, HOLE] = [3, 4];

/**
 * Returns a function that reads an open file from `start`, its current position. It does not read the holes of a
 * sparse file, which would fill the page cache with zeros, but fills the buffer with zeros itself. `stats` describes
 * the open file.
 */
export function createHoleReader(
  fd: number,
  stats: { readonly size: number; readonly blocks: number },
  start = 0,
): ReadNext {
  if (stats.blocks * 512 >= stats.size) return (buffer, at, length) => readSync(fd, buffer, at, length, null);
  let [position, data, hole] = [start, 0, 0];
  return (buffer, at, length) => {
    if (position >= hole) [data, hole] = nextExtent(fd, position, stats.size);
    if (position >= data) {
      const count = readSync(fd, buffer, at, Math.min(length, hole - position), position);
      position += count;
      return count;
    }
    const count = Math.min(length, data - position);
    buffer.fill(0, at, at + count);
    position += count;
    return count;
  };
}

/**
 * Returns where the next data at or after a position begins and ends. After the last data, `data` is the end of the
 * file.
 */
function nextExtent(fd: number, position: number, size: number): [data: number, hole: number] {
  const data = seek(fd, position, DATA);
  if (data >= 0) return [data, Math.max(seek(fd, data, HOLE), data + 1)];
  const errno = lastError();
  if (errno === constants.errno.ENXIO) return [Math.max(size, position), Infinity];
  // The file system does not report holes.
  if (errno === constants.errno.EINVAL) return [position, Infinity];
  throw systemError('lseek', String(fd), errno);
}
