import { setImmediate as nextTurn } from 'node:timers/promises';
import { TbuildError } from '@tbuild/errors';

/** Synchronous work that yields every few milliseconds, where it can be given up and others can have their turn. */
export type CooperativeTask<T = void> = Generator<void, T, undefined>;

/** A signal, other work and the display wait no longer. A turn costs some microseconds. */
const LONGEST_TURN_MS = 2;

/**
 * Does work to its end, now and then letting the rest of the program have a turn.
 *
 * @throws TbuildError CANCELLED on abort; the work has cleaned up by then.
 */
export async function runCooperatively<T>(work: Iterator<void, T, undefined>, signal?: AbortSignal): Promise<T> {
  try {
    for (let end = performance.now() + LONGEST_TURN_MS; ;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (performance.now() < end) continue;
      await nextTurn();
      if (signal?.aborted) throw new TbuildError('CANCELLED', 'Build was cancelled', { cause: signal.reason });
      end = performance.now() + LONGEST_TURN_MS;
    }
  } finally {
    work.return?.();
  }
}

/** Does work to its end at once. */
export function runSync<T>(work: CooperativeTask<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
