import { closeSync, constants, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { checkKind, type ReadLimits } from './read-limited-file.ts';

const CHUNK = 1024 * 1024;

/**
 * Opens a large file or a pipe as a stream. The stream fails as soon as `signal` aborts, even while nobody writes to
 * the pipe.
 * @throws TbuildError if the file is anything else; a system error if it cannot be opened.
 */
export function openInput(path: string, limits: Pick<ReadLimits, 'what' | 'code'>, signal: AbortSignal): Readable {
  const kinds = { ...limits, pipes: true };
  checkKind(statSync(path), kinds);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const isPipe = checkKind(fstatSync(fd), kinds);
    // A thread blocked on a pipe cannot be interrupted; a socket waits in the event loop.
    const stream = isPipe
      ? new Socket({ fd, readable: true, writable: false })
      : createReadStream('', { fd, highWaterMark: CHUNK });
    return addAbortSignal(signal, stream);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
