import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { punchHole } from '@tbuild/linux';
import { listDirectory } from '@tbuild/store';

const CHUNK = 1 << 20;
/** Yields to the event loop after this many bytes, since the consumer may never wait for anything else. */
const TURN = 4 * CHUNK;
/** Pausing costs less than the work that it waits for. */
const PAUSE_MS = 2;
/** Disk space is freed in steps of this size. */
const GIVEN_BACK = 8 * CHUNK;

export interface FollowOptions {
  /** Whether the blob stays. Otherwise its disk space and page cache are freed as it is read. */
  readonly keep: boolean;
}

/** The size of a blob and the file that it has become. */
export interface WholeBlob {
  readonly size: number;
  readonly file: string;
}

/**
 * Yields the bytes of the only blob that another process writes into a directory, while it grows. Ends at the size that
 * `whole` gives. Fails if `whole` gives undefined or another size. A chunk is valid until the next one is requested.
 */
export async function* followBlob(
  directory: string,
  whole: Promise<WholeBlob | undefined>,
  { keep }: FollowOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let end: WholeBlob | 'aborted' | undefined;
  whole.then(
    (blob) => (end = blob ?? 'aborted'),
    () => (end = 'aborted'),
  );
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  let fd: number | undefined;
  let givenBack = 0;
  try {
    for (let at = 0; ;) {
      // Read the end before the size: bytes after a known end would be missed otherwise.
      const ended = end;
      fd ??= openBlob(directory, ended, keep ? 'r' : 'r+');
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
      else if (fd !== undefined && ended !== 'aborted' && at === ended.size) return;
      else throw new Error('The layer write was aborted');
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openBlob(directory: string, ended: WholeBlob | 'aborted' | undefined, flags: 'r' | 'r+'): number | undefined {
  if (typeof ended === 'object') return openSync(ended.file, flags);
  const name = listDirectory(directory).find((each) => each.startsWith('blob-'));
  return name === undefined ? undefined : openSync(join(directory, name), flags);
}
