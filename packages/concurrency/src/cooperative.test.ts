import { expect, test } from 'vitest';
import { type CooperativeTask, runCooperatively, runSync } from './cooperative.ts';

/** Takes a few milliseconds for each piece, and calls `onEnd` when it ends or is aborted. */
function* work(pieces: number, onEnd: () => void): CooperativeTask<number> {
  try {
    for (let piece = 0; piece < pieces; piece++) {
      for (const end = performance.now() + 10; performance.now() < end;);
      yield;
    }
    return pieces;
  } finally {
    onEnd();
  }
}

test('runSync and runCooperatively return the result of the task', async () => {
  expect(runSync(work(2, () => {}))).toBe(2);
  expect(await runCooperatively(work(2, () => {}))).toBe(2);
});

test('runCooperatively lets other work run before the task has ended', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  await runCooperatively(work(20, () => order.push('work')));
  expect(order).toEqual(['other', 'work']);
});

test('runCooperatively ends the task on abort and runs its finally block first', async () => {
  const controller = new AbortController();
  const events: string[] = [];
  setImmediate(() => controller.abort(new Error('stopped')));
  const ended = runCooperatively(
    work(10_000, () => events.push('cleaned up')),
    controller.signal,
  );
  await expect(ended).rejects.toMatchObject({ code: 'CANCELLED', cause: { message: 'stopped' } });
  expect(events).toEqual(['cleaned up']);
});
