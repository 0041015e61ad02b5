import { expect, test } from 'vitest';
import { type CooperativeTask, runCooperatively, runSync } from './cooperative.ts';

/** Takes some milliseconds for each piece, and says so when it is given up. */
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

test('work in pieces gives its result, at once or in turns', async () => {
  expect(runSync(work(2, () => {}))).toBe(2);
  expect(await runCooperatively(work(2, () => {}))).toBe(2);
});

test('others have their turn while it goes on', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  await runCooperatively(work(20, () => order.push('work')));
  expect(order).toEqual(['other', 'work']);
});

test('it is given up on abort, and cleans up first', async () => {
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
