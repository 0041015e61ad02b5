import { chownSync, closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, mknod, openPipe } from '@tbuild/linux';

/** Both ends of a pipe. */
export interface OutputPipe extends Disposable {
  /** The reading end. */
  readonly output: Socket;
  /** The writing end. Pass it to a process and then call `closeInput`. */
  readonly input: number;
  closeInput(): void;
}

/**
 * Opens a pipe for the output of a step. Node's own pipes are sockets, which a process cannot reopen as /dev/stdout.
 * This one is made as a named pipe at `path`, opened at both ends and unlinked. Its owner may reopen it, as a step's
 * user can with Docker. `keep` leaves it at its path.
 */
export function openOutputPipe(
  path: string,
  owner: { readonly uid: number; readonly gid: number },
  { keep = false }: { readonly keep?: boolean } = {},
): OutputPipe {
  mknod(path, FileType.fifo | 0o600, 0);
  setOwner(path, owner);
  // The reader comes first: opening a pipe for writing waits for a reader.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  if (!keep) unlinkSync(path);
  return pipeOf(reader, writer);
}

/** Opens a pipe without a name. */
export function openNamelessPipe(): OutputPipe {
  const { reader, writer } = openPipe();
  return pipeOf(reader, writer);
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
function setOwner(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    chownSync(path, uid, gid);
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
