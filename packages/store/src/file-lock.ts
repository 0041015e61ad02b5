import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { errnoName, TbuildError } from '@tbuild/errors';
import { tryFlock } from '@tbuild/linux';

/** A lock on a file that the kernel frees when this process ends. Every opening is a lock of its own, also within one process. */
export interface FileLock extends Disposable {
  /** Takes the lock, or changes its kind. Returns false when another opening holds it. */
  tryTake(kind: 'shared' | 'exclusive'): boolean;
  /** Returns whether its path still names the file. */
  isCurrent(): boolean;
}

/** Opens the file, creating it if needed, without locking it. Disposing frees the lock. */
export function openLock(path: string): FileLock {
  const fd = openSync(path, 'a', 0o600);
  return {
    tryTake: (kind) => tryFlock(fd, kind),
    isCurrent: () => statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino,
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Opens the file as {@link openLock} does. Undefined if its directory is gone. */
export function openLockIfThere(path: string): FileLock | undefined {
  try {
    return openLock(path);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Milliseconds between attempts. A blocking lock would need a thread that cannot be aborted. */
const PAUSE = 10;

/**
 * Repeats `attempt` until it returns a value.
 *
 * @throws TbuildError CANCELLED on abort.
 */
export async function waitFor<T>(
  attempt: () => T | undefined | Promise<T | undefined>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    const found = await attempt();
    if (found !== undefined) return found;
    if (signal.aborted) throw new TbuildError('CANCELLED', 'Waiting for a lock was cancelled');
    await setTimeout(PAUSE);
  }
}
