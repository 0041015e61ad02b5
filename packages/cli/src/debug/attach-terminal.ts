import { ReadStream } from 'node:tty';
import { TbuildError } from '@tbuild/errors';
import { openPseudoterminal } from '@tbuild/linux';
import type { Environment } from '../config/environment.ts';

/** A pseudoterminal that the user's terminal shows. */
export interface AttachedTerminal {
  /** The descriptor for the program. */
  readonly terminal: number;
  /** Shows what is left, and gives the user's terminal back. */
  detach(): Promise<void>;
}

/**
 * Connects the user's terminal with a new one for a program: keys, output and size. The program's terminal interprets
 * the keys, so that Ctrl-C reaches what runs in it.
 * @throws TbuildError USAGE without a terminal.
 */
export function attachTerminal({ stdin, stdout }: Pick<Environment, 'stdin' | 'stdout'>): AttachedTerminal {
  requireTerminal({ stdin, stdout });
  const size = () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  const { master: descriptor, slave, resize, closeSlave } = openPseudoterminal(size());
  const master = new ReadStream(descriptor);
  const onKeys = (keys: Uint8Array): void => void master.write(keys);
  const onResize = (): void => resize(size());
  master.on('data', (output: Uint8Array) => stdout.write(output));
  // The kernel reports the end of a pseudoterminal as an error.
  master.on('error', () => {});
  const closed = new Promise<void>((resolve) => master.once('close', resolve));
  stdin.setRawMode?.(true);
  stdin.on('data', onKeys);
  stdin.resume();
  stdout.on('resize', onResize);
  return {
    terminal: slave,
    async detach() {
      closeSlave();
      await closed;
      stdout.off('resize', onResize);
      stdin.off('data', onKeys);
      stdin.pause();
      stdin.setRawMode?.(false);
    },
  };
}

/** @throws TbuildError USAGE without a terminal. */
export function requireTerminal({ stdin, stdout }: Pick<Environment, 'stdin' | 'stdout'>): void {
  if (stdin.isTTY === true && stdout.isTTY === true) return;
  throw new TbuildError('USAGE', 'A shell needs a terminal', {
    hint: 'To get files of a failed step, use -o type=local,dest=DIR,from=PATH,when=failure',
  });
}
