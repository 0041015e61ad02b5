import { execFileSync } from 'node:child_process';
import { closeSync, constants, fchownSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { TOOL_ENVIRONMENT } from './tools.ts';

/** Both ends of a pipe. */
export interface OutputPipe extends Disposable {
  /** To read from as it comes. */
  readonly output: Socket;
  /** To be given to a process, then closed with `closeInput`. */
  readonly input: number;
  closeInput(): void;
}

/**
 * Pipes for the output of steps. Node's own are sockets, which a process cannot open again as /dev/stdout; and
 * Node can make no other, so that named ones are made with mkfifo(1), several at once, and used again.
 */
export class FifoPool {
  readonly #directory: string;
  readonly #free: string[] = [];
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The process's user may open its output again, as it may with Docker. Dispose when the pipe has ended. */
  open(owner: { readonly uid: number; readonly gid: number }): OutputPipe {
    const path = this.#free.pop() ?? this.#make();
    // The reader comes first: opening to write would wait for one.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    let input: number | undefined = openSync(path, constants.O_WRONLY);
    fchownSync(reader, owner.uid, owner.gid);
    const output = new Socket({ fd: reader, readable: true, writable: false });
    const closeInput = (): void => {
      if (input !== undefined) closeSync(input);
      input = undefined;
    };
    const dispose = (): void => {
      closeInput();
      output.destroy();
      this.#free.push(path);
    };
    return { output, input, closeInput, [Symbol.dispose]: dispose };
  }

  #make(): string {
    const names = Array.from({ length: 4 }, () => `${this.#directory}/output-${this.#made++}`);
    execFileSync('mkfifo', ['-m', '600', ...names], { env: TOOL_ENVIRONMENT });
    this.#free.push(...names.slice(1));
    return names[0] ?? '';
  }
}
