import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from './patience.ts';
import { hasProgram } from './requirements.ts';

export interface DaemonOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Polled until it returns true. */
  readonly isReady: () => Promise<boolean>;
}

/** Starts a daemon and waits until it is ready. It ends with its parent at the latest, and when it is disposed. */
export async function startDaemon(options: DaemonOptions): Promise<AsyncDisposable> {
  const dieWithParent = hasProgram('setpriv') ? ['setpriv', '--pdeathsig', 'TERM'] : [];
  const [program, ...args] = [...dieWithParent, options.program, ...options.args];
  const child = spawn(program!, args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A keyboard interrupt of the test run must not reach the daemon before its clients are gone.
    detached: true,
  });
  const log = createWriteStream(options.logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  await waitUntilReady(child, options);
  return { [Symbol.asyncDispose]: () => stop(child) };
}

/** Returns a loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function waitUntilReady(child: ChildProcess, options: DaemonOptions): Promise<void> {
  const deadline = Date.now() + patiently.timeout;
  while (!(await options.isReady())) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`${options.program} did not start:\n${readFileSync(options.logFile, 'utf8')}`);
    }
    await sleep(20);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await closed;
  clearTimeout(killer);
}
