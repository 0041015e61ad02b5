import { libraryCall } from '../libc.ts';

const advise = libraryCall('int posix_fadvise(int fd, long offset, long length, int advice)');
/** `POSIX_FADV_DONTNEED` of fcntl.h. */
const DONTNEED = 4;

/**
 * Tells the kernel that this process no longer needs a part of a file, so that its pages in the page cache can be
 * reused.
 */
export function dropPageCache(fd: number, offset: number, length: number): void {
  advise(fd, offset, length, DONTNEED);
}
