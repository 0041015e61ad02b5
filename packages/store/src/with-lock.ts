import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';

const PAUSE_MS = 2;
/** A process that holds a lock for so many pauses was killed. */
const MOST_PAUSES = 500;

/**
 * Does a few milliseconds of work under a lock file. flock(2) would need a native library, whose loading takes too long for a cached
 * build.
 */
export function withLock<T>(path: string, work: () => T): T {
  makeDirectory(dirname(path));
  for (let [holder, pauses] = ['', 0]; !isTaken(path); pauses += 1) {
    const present = holderOf(path);
    if (present !== holder) [holder, pauses] = [present, 0];
    if (pauses > MOST_PAUSES) rmSync(path, { force: true });
    pause();
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function isTaken(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'));
    return true;
  } catch (error) {
    if (errnoName(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino} ${stats.ctimeMs}`;
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
