import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds. */
const LONGEST_TURN = 5;

/**
 * Yields the items, and lets signals and other work run in between.
 *
 * @throws the reason of the signal on abort.
 */
export async function* withPauses<T>(items: Iterable<T>, signal?: AbortSignal): AsyncGenerator<T, void> {
  let end = performance.now() + LONGEST_TURN;
  for (const item of items) {
    yield item;
    if (performance.now() < end) continue;
    await nextTurn();
    signal?.throwIfAborted();
    end = performance.now() + LONGEST_TURN;
  }
}
