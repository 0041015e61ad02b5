import { constants } from 'node:os';
import { libraryCall, systemError } from '../libc.ts';

const prctl = libraryCall('int prctl(int option, unsigned long value)');
const getppid = libraryCall('int getppid()');
const PR_SET_PDEATHSIG = 1;

/**
 * Asks the kernel to kill this process when the main thread of its parent ends. `parent` is the parent's process id.
 * @throws Error if the parent has already ended.
 */
export function dieWithParent(parent: number): void {
  if (prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL) < 0) throw systemError('prctl', '');
  if (getppid() !== parent) throw new Error(`Parent process ${parent} has already ended`);
}
