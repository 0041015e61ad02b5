import { chownSync, closeSync, constants, fchownSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, mknod, openPipe } from '@tbuild/linux';

/** The user who may reopen a pipe. */
export interface PipeOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Both ends of a pipe. */
export interface OutputPipe extends Disposable {
  /** The reading end. */
  readonly output: Socket;
  /** The writing end. Pass it to a process and then call `closeInput`. */
  readonly input: number;
  closeInput(): void;
}

/**
 * Opens a pipe for the output of a step. Node's own pipes are sockets, which a process cannot reopen as /dev/stdout. The
 * owner of this one may reopen it, as a step's user can with Docker. With a `path` it has a name there.
 */
export function openOutputPipe(owner: PipeOwner, path?: string): OutputPipe {
  if (path !== undefined) return openNamedPipe(owner, path);
  const pipe = openNamelessPipe();
  try {
    giveTo(owner, (uid, gid) => fchownSync(pipe.input, uid, gid));
    return pipe;
  } catch (error) {
    pipe[Symbol.dispose]();
    throw error;
  }
}

/** Opens a pipe without a name. */
export function openNamelessPipe(): OutputPipe {
  const { reader, writer } = openPipe();
  return pipeOf(reader, writer);
}

function openNamedPipe(owner: PipeOwner, path: string): OutputPipe {
  mknod(path, FileType.fifo | 0o600, 0);
  giveTo(owner, (uid, gid) => chownSync(path, uid, gid));
  // The reader comes first: opening a pipe for writing waits for a reader.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return pipeOf(reader, openSync(path, constants.O_WRONLY));
}

function pipeOf(reader: number, writer: number): OutputPipe {
  let isOpen = true;
  const output = new Socket({ fd: reader, readable: true, writable: false });
  const closeInput = (): void => {
    if (isOpen) closeSync(writer);
    isOpen = false;
  };
  const dispose = (): void => {
    closeInput();
    output.destroy();
  };
  return { output, input: writer, closeInput, [Symbol.dispose]: dispose };
}

/** Changes the owner. This is the first operation that fails for an unmapped user. */
function giveTo({ uid, gid }: PipeOwner, change: (uid: number, gid: number) => void): void {
  try {
    change(uid, gid);
  } catch (cause) {
    if (errnoName(cause) !== 'EINVAL') throw cause;
    throw new TbuildError(
      'UNSUPPORTED',
      `The step cannot run as user ${uid}:${gid}: this user namespace does not map these ids`,
      {
        hint: 'Run "tbuild doctor" to see how to get subordinate ids',
        cause,
      },
    );
  }
}
