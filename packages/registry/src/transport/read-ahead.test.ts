import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAhead } from './read-ahead.ts';

/** Brings so many bytes in pieces of 64 KiB, and then fails. */
function failingAfter(bytes: number): Readable & { brought: number } {
  const stream = Object.assign(
    new Readable({
      read() {
        if (stream.brought >= bytes) return void stream.destroy(new Error('broken'));
        stream.brought += 65_536;
        stream.push(Buffer.alloc(65_536, 'x'));
      },
    }),
    { brought: 0 },
  );
  return stream;
}

test('readAhead yields what came before an error, also while nobody asked for it', async () => {
  const received: number[] = [];
  const reading = (async () => {
    for await (const piece of readAhead(failingAfter(300_000))) {
      received.push(piece.length);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
    }
  })();
  await expect(reading).rejects.toThrow('broken');
  expect(received.reduce((sum, length) => sum + length)).toBe(5 * 65_536);
  expect(received.length).toBeLessThan(5);
});

test('readAhead reads no more than about a mebibyte that nobody asks for, and ends the stream when it is left', async () => {
  const stream = failingAfter(1e9);
  for await (const piece of readAhead(stream)) {
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    expect(stream.brought - piece.length).toBeLessThan(1.3 * 1024 * 1024);
    break;
  }
  expect(stream.destroyed).toBe(true);
});

test('readAhead throws the error of a stream that has failed before', async () => {
  const stream = failingAfter(0).on('error', () => {});
  stream.destroy(new Error('broken before'));
  await nextTurn();
  await expect(readAhead(stream).next()).rejects.toThrow('broken before');
});
