import { chownSync, closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, mknod, openPipe } from '@tbuild/linux';

/** Both ends of a pipe. */
export interface OutputPipe extends Disposable {
  /** To read from as it comes. */
  readonly output: Socket;
  /** To be given to a process, then closed with `closeInput`. */
  readonly input: number;
  closeInput(): void;
}

/**
 * A pipe for the output of a step. Node's own are sockets, which a process cannot open again as
 * /dev/stdout, so a named one is made at `path`, opened at both ends and unlinked. Its owner
 * may open it again, as a step's user may with Docker. `keep` leaves it at its path.
 */
export function openOutputPipe(
  path: string,
  owner: { readonly uid: number; readonly gid: number },
  { keep = false }: { readonly keep?: boolean } = {},
): OutputPipe {
  mknod(path, FileType.fifo | 0o600, 0);
  setOwner(path, owner);
  // The reader comes first: opening to write would wait for one.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  if (!keep) unlinkSync(path);
  return pipeOf(reader, writer);
}

/** One that nobody opens again. */
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

/** The first thing that a step's user is needed for. */
function setOwner(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    chownSync(path, uid, gid);
  } catch (cause) {
    if (errnoName(cause) !== 'EINVAL') throw cause;
    throw new TbuildError(
      'UNSUPPORTED',
      `The step cannot run as user ${uid}:${gid}: there is no such id for steps here`,
      {
        hint: 'tbuild doctor tells how to get subordinate ids',
        cause,
      },
    );
  }
}
