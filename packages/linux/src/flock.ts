import { libraryCall, lastError, systemError } from './libc.ts';
import { constants } from 'node:os';

const call = libraryCall('int flock(int fd, int operation)');

const OPERATIONS = { shared: 1, exclusive: 2 } as const;
const LOCK_NB = 4;

/**
 * Takes the lock of an open file, or changes the one that is held, without waiting; false when somebody else has it. It
 * is given back when the last descriptor of that opening is closed, by the kernel if need be.
 */
export function tryFlock(fd: number, kind: keyof typeof OPERATIONS): boolean {
  if (call(fd, OPERATIONS[kind] | LOCK_NB) === 0) return true;
  const errno = lastError();
  if (errno === constants.errno.EWOULDBLOCK) return false;
  throw systemError('flock', String(fd), errno);
}
