import { setImmediate as nextTurn } from 'node:timers/promises';
import { TbuildError } from '@tbuild/errors';

/** Synchronous work that yields every few milliseconds. At each yield other work may run, and the task may be aborted. */
export type CooperativeTask<T = void> = Generator<void, T, undefined>;

/** Signals, other work and the display wait at most this long. Switching costs a few microseconds. */
const LONGEST_TURN_MS = 2;

/**
 * Runs a task to its end and lets the rest of the program run in between.
 *
 * @throws TbuildError CANCELLED on abort, after the task has cleaned up.
 */
export async function runCooperatively<T>(work: Iterator<void, T, undefined>, signal?: AbortSignal): Promise<T> {
  // The global is a getter, which costs more than most steps.
  const clock = performance;
  try {
    for (let end = clock.now() + LONGEST_TURN_MS; ;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (clock.now() < end) continue;
      await nextTurn();
      if (signal?.aborted) throw new TbuildError('CANCELLED', 'Build was cancelled', { cause: signal.reason });
      end = clock.now() + LONGEST_TURN_MS;
    }
  } finally {
    work.return?.();
  }
}

/** Runs a task to its end without a pause. */
export function runSync<T>(work: CooperativeTask<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
