import { libraryCall } from './libc.ts';

const advise = libraryCall('int posix_fadvise(int fd, long offset, long length, int advice)');
/** `POSIX_FADV_DONTNEED` of fcntl.h. */
const DONTNEED = 4;

/** Says that a part of a file is not needed any more: what lies in the page cache of it can be taken for something else. */
export function forgetPages(fd: number, offset: number, length: number): void {
  advise(fd, offset, length, DONTNEED);
}
