import { join } from 'node:path';
import { startDaemon } from './daemon.ts';
import { runChecked, runProcess } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

export interface Containerd extends AsyncDisposable {
  /** The path of its socket. */
  readonly address: string;
  /** Runs its client and returns the output; throws when the client fails. */
  ctr(args: readonly string[]): Promise<string>;
}

/** Starts a containerd with its own state and socket; needs root. */
export async function startContainerd(): Promise<Containerd> {
  const directory = scratchDirectory('containerd');
  const socket = join(directory, 'containerd.sock');
  const daemon = await startDaemon({
    program: 'unshare',
    args: [
      '--mount',
      '--propagation',
      'private',
      'containerd',
      '--config',
      '/dev/null',
      '--address',
      socket,
      '--root',
      join(directory, 'root'),
      '--state',
      join(directory, 'state'),
    ],
    logFile: join(directory, 'log'),
    isReady: async () => (await runProcess('ctr', ['--address', socket, 'version'])).exitCode === 0,
  });
  return {
    address: socket,
    ctr: (args) => runChecked('ctr', ['--address', socket, ...args]),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
