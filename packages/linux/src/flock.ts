import { constants } from 'node:os';
import { libraryCall, lastError, systemError } from './libc.ts';

const call = libraryCall('int flock(int fd, int operation)');

const OPERATIONS = { shared: 1, exclusive: 2 } as const;
const LOCK_NB = 4;

/**
 * Locks an open file, or changes the lock it holds, without waiting. Returns false if another process holds it. The
 * kernel releases the lock when the last descriptor of this open file is closed.
 */
export function tryFlock(fd: number, kind: keyof typeof OPERATIONS): boolean {
  if (call(fd, OPERATIONS[kind] | LOCK_NB) === 0) return true;
  const errno = lastError();
  if (errno === constants.errno.EWOULDBLOCK) return false;
  throw systemError('flock', String(fd), errno);
}
