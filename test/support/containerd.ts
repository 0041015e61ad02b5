import { join } from 'node:path';
import { startDaemon } from './daemon.ts';
import { runChecked, runProcess } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

export interface Containerd extends AsyncDisposable {
  /** Runs its client; throws unless it succeeds, and gives what it printed. */
  ctr(args: readonly string[]): Promise<string>;
}

/** containerd with a state and a socket of its own; needs root. */
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
    ctr: (args) => runChecked('ctr', ['--address', socket, ...args]),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
