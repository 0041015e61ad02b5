import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many steps (files, or buffers of a long one) at a time take some 5 to 50 ms. */
const STEPS_A_TURN = 64;

/** Runs synchronous work to its end, now and then letting the rest of the program have a turn. */
export async function runInTurns(work: Iterable<void>, signal?: AbortSignal): Promise<void> {
  let steps = 0;
  for (const _ of work) {
    if (++steps % STEPS_A_TURN !== 0) continue;
    await nextTurn();
    signal?.throwIfAborted();
  }
}
