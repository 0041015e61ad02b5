import { libraryCall } from '../libc.ts';

const allocate = libraryCall('int fallocate(int fd, int mode, long offset, long length)');
/** `FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE` of linux/falloc.h. */
const PUNCH_HOLE = 3;

/** Frees the memory and disk space of a part of a file, which then reads as zeros. */
export function punchHole(fd: number, offset: number, length: number): void {
  allocate(fd, PUNCH_HOLE, offset, length);
}
