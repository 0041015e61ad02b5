import crypto from 'node:crypto';
import { writeSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Environment } from '../config/environment.ts';

/**
 * Runs the program once before a snapshot of its heap is made, since the snapshot keeps what was compiled by then: a
 * cached build is 14 ms shorter. `run` gets nothing of this process, whose streams a snapshot cannot hold.
 * That it failed is told on standard error, and costs no more than those milliseconds.
 */
export async function rehearse(run: (env: Environment) => Promise<number>): Promise<void> {
  const stream = new PassThrough();
  let written = '';
  stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const restore = substitute();
  const code = await run({
    variables: {},
    cwd: '/',
    uid: 0,
    inUserNamespace: false,
    owner: { uid: 0, gid: 0 },
    stdout: stream,
    stderr: stream,
    stdin: stream,
  }).catch(String);
  restore();
  // Only a timer that has fired makes Node forget when the next was due, without which later ones would not be set.
  await setTimeout(1);
  // Writing through process.stderr would open the stream.
  if (code !== 0) writeSync(2, `The rehearsal ended with ${code}\n${written}`);
}

/** These keep random bytes in stock, which every process that starts from the snapshot would use again. */
function refuse(): never {
  throw new Error('Use randomBytes: a snapshot of the heap must hold no random numbers');
}

/** Methods that Node 20 has not yet while it makes a snapshot. */
const COPYING = {
  toSorted(this: unknown[], compare?: (a: unknown, b: unknown) => number) {
    return [...this].sort(compare);
  },
  toReversed(this: unknown[]) {
    return [...this].reverse();
  },
};

/**
 * Until the snapshot is made Node 20 lacks methods that it has later, and what AbortSignal.any registers for the
 * garbage collector keeps Node 22 from making one.
 */
function substitute(): () => void {
  const { any } = AbortSignal;
  const { randomUUID, randomInt } = crypto;
  crypto.randomUUID = refuse;
  crypto.randomInt = refuse;
  AbortSignal.any = (signals) => {
    const controller = new AbortController();
    for (const signal of signals) signal.addEventListener('abort', () => controller.abort(signal.reason));
    return controller.signal;
  };
  const lacking = Object.keys(COPYING).filter((name) => !(name in Array.prototype));
  for (const name of lacking)
    Object.defineProperty(Array.prototype, name, { configurable: true, value: Reflect.get(COPYING, name) });
  return () => {
    Object.assign(crypto, { randomUUID, randomInt });
    AbortSignal.any = any;
    for (const name of lacking) Reflect.deleteProperty(Array.prototype, name);
  };
}
