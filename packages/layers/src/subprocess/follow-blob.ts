import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { punchHole } from '@tbuild/linux';
import type { Descriptor } from '@tbuild/oci';
import { listDirectory } from '@tbuild/store';

const CHUNK = 1 << 20;
/** Signals and steps wait no longer: who takes the chunks may never wait for anything. */
const TURN = 4 * CHUNK;
/** A pause costs less than the work that it waits for. */
const PAUSE_MS = 2;
/** Of what is read and not needed, so many bytes are given back at a time. */
const GIVEN_BACK = 8 * CHUNK;

export interface FollowOptions {
  /** Whether the blob is to stay. Otherwise what was read of it is given back, memory and disk. */
  readonly keep: boolean;
}

/**
 * The bytes of the only blob that another process writes into a directory, as they come. They end when there are as many as `whole`
 * says in the end, and fail when it says undefined or other than that. A chunk is valid until the next one is asked for.
 */
export async function* followBlob(
  directory: string,
  whole: Promise<Pick<Descriptor, 'size'> | undefined>,
  { keep }: FollowOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  /** How many there are; not a number when the blob was given up. */
  let end: number | undefined;
  whole.then(
    (blob) => (end = blob?.size ?? NaN),
    () => (end = NaN),
  );
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  let fd: number | undefined;
  let givenBack = 0;
  try {
    for (let at = 0; ;) {
      // What is there after the end was there before it was asked for.
      const ended = end;
      fd ??= openBlob(directory, keep ? 'r' : 'r+');
      const left = fd === undefined ? 0 : fstatSync(fd).size - at;
      if (fd !== undefined && left > 0) {
        const length = readSync(fd, chunk, 0, Math.min(left, CHUNK), at);
        at += length;
        yield chunk.subarray(0, length);
        if (!keep && at - givenBack >= GIVEN_BACK) {
          punchHole(fd, givenBack, at - givenBack);
          givenBack = at;
        }
        if (at % TURN < length) await nextTurn();
      } else if (ended === undefined) await sleep(PAUSE_MS);
      else if (fd !== undefined && at === ended) return;
      else throw new Error('The blob was given up');
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openBlob(directory: string, flags: 'r' | 'r+'): number | undefined {
  const name = listDirectory(directory).find((each) => each.startsWith('blob-'));
  return name === undefined ? undefined : openSync(join(directory, name), flags);
}
