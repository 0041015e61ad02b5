import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { errnoName } from '@tbuild/errors';

/** Returns how many processes the kernel has killed for lack of memory since it started, unless it does not count them. */
export function countKills(): number | undefined {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1];
    return count === undefined ? undefined : Number(count);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(errnoName(error) ?? '')) return undefined;
    throw error;
  }
}

/** Returns the memory of this machine in bytes, or the limit of this process's control group. */
export function machineMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}
