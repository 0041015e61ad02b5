import { closeSync, fstatSync, futimesSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';

const PAUSE_MS = 2;
/** A process that holds a lock for so many pauses was killed. */
const MOST_PAUSES = 500;

/** A lock file that this process has made. */
export interface HeldLock {
  /** Reports whether the work was alone until now. */
  isHeld(): boolean;
  /** Keeps others from taking the lock over. Work that may take long calls it several times a second. */
  renew(): void;
}

/**
 * Does a few milliseconds of work under a lock file. flock(2) would need a native library, whose loading takes too long for a cached
 * build. A process that stands still for a second loses the lock.
 */
export function withLock<T>(path: string, work: (lock: HeldLock) => T): T {
  const fd = take(path);
  // No other file has the inode while this one is open.
  const isHeld = (): boolean => statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
  try {
    return work({ isHeld, renew: () => futimesSync(fd, 0, 0) });
  } finally {
    if (isHeld()) rmSync(path, { force: true });
    closeSync(fd);
  }
}

function take(path: string): number {
  makeDirectory(dirname(path));
  for (let [holder, pauses] = ['', 0]; ; pauses += 1) {
    const fd = tryTake(path);
    if (fd !== undefined) return fd;
    const present = holderOf(path);
    if (present !== holder) [holder, pauses] = [present, 0];
    if (pauses > MOST_PAUSES) rmSync(path, { force: true });
    pause();
  }
}

function tryTake(path: string): number | undefined {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    if (errnoName(error) === 'EEXIST') return undefined;
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
