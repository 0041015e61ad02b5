import { closeSync, openSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { TbuildError } from '@tbuild/errors';
import { tryFlock } from '@tbuild/linux';

/**
 * A lock on a file that the kernel frees when this process ends. Every opening counts by itself, so that it holds
 * between the steps of one build as between builds.
 */
export interface FileLock extends Disposable {
  /** Takes the lock, or changes the one that is held; false when somebody else has it. */
  tryTake(kind: 'shared' | 'exclusive'): boolean;
}

/** Opens the file, made when missing, without locking it. Disposing gives the lock back. */
export function openLock(path: string): FileLock {
  const fd = openSync(path, 'a', 0o600);
  return { tryTake: (kind) => tryFlock(fd, kind), [Symbol.dispose]: () => closeSync(fd) };
}

/** How long to wait before asking again. The kernel could tell, but only to a thread of its own that nobody can stop. */
const PAUSE = 10;

/**
 * Asks until `attempt` gives something.
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
    if (signal.aborted) throw new TbuildError('CANCELLED', 'Waiting was cancelled');
    await setTimeout(PAUSE);
  }
}
