import { constants } from 'node:os';
import { libraryCall, systemError } from './libc.ts';

const prctl = libraryCall('int prctl(int option, unsigned long value)');
const getppid = libraryCall('int getppid()');
const PR_SET_PDEATHSIG = 1;

/**
 * Has this process be killed when the main thread of its parent ends; `parent` is its number.
 * @throws Error when it has ended already.
 */
export function endWith(parent: number): void {
  if (prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL) < 0) throw systemError('prctl', '');
  if (getppid() !== parent) throw new Error(`Process ${parent} has ended`);
}
