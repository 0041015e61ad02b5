import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** One side of a connection. */
export interface Side {
  readonly input: Readable;
  readonly output: Writable;
}

/** What each answer of a server ends with. */
const FLUSH = '0000';

/**
 * Passes on what git and its server send, until the server ends. Time counts while git waits for an answer: at the start, and
 * from a question on. Each byte gives the server a second more.
 * @throws Error that says so if the server takes more than `patience` milliseconds.
 */
export async function relay(git: Side, server: Side, patience: number): Promise<void> {
  const tooSlow = new Error(`operation too slow: less than a byte a second for ${patience / 1000} seconds`);
  let [owes, waits, left, since] = [true, false, patience, 0];
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    [waits, since] = [true, performance.now()];
    if (owes) timer = setTimeout(() => server.input.destroy(tooSlow), left);
  };
  const ask = (): void => {
    if (owes) return;
    [owes, left] = [true, patience];
    if (waits) wait();
  };
  git.input.on('data', ask).on('end', ask).pipe(server.output);
  wait();
  let tail = '';
  try {
    for await (const chunk of server.input as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      left = Math.min(patience, left - (performance.now() - since) + 1000 * chunk.length);
      waits = false;
      tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - FLUSH.length))).slice(-FLUSH.length);
      owes = tail !== FLUSH;
      if (!git.output.write(chunk)) await once(git.output, 'drain');
      wait();
    }
  } finally {
    clearTimeout(timer);
  }
}
