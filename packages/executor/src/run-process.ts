import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { TbuildError } from '@tbuild/errors';
import type { ProcessIO } from './executor.ts';
import type { OutputPipe } from './output-pipe.ts';
import { TOOL_ENVIRONMENT } from './tools.ts';

export interface RunOptions {
  readonly io: ProcessIO;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  readonly signal: AbortSignal;
  /** What is open as descriptor {@link PROGRAM}. */
  readonly program: number;
  /** Files that are open for writing from descriptor {@link FIRST_ENTRANCE} on. */
  readonly entrances: readonly string[];
  /** Asks the running program to end everything; when absent, pid 1 of its namespace is killed. */
  readonly end?: (pid: number) => void;
}

/** The descriptor of the last program of a set-up. */
export const PROGRAM = 4;

/** Above those that the set-up of any isolation uses. */
export const FIRST_ENTRANCE = 5;

/** How a sandboxed process ended, and what its set-up said. */
export interface Ended {
  readonly exitCode: number;
  /** Without what the process itself wrote. */
  readonly setup: Buffer;
}

const ABORT_AGAIN_MS = 100;

/**
 * Runs the set-up and the process it becomes to their end. The session is its own, so that a terminal's
 * Ctrl-C reaches only us, who decide.
 *
 * @throws TbuildError CANCELLED when the signal fired; everything is dead by then.
 */
export async function runProcess([file = '', ...args]: readonly string[], options: RunOptions): Promise<Ended> {
  const { io, stdout, stderr, signal, end = killInit } = options;
  const child = withOpenFiles(options.entrances, (entrances) =>
    spawn(file, args, {
      env: TOOL_ENVIRONMENT,
      stdio: ['ignore', stdout.input, stderr.input, 'pipe', options.program, ...entrances],
      detached: true,
    }),
  );
  stdout.closeInput();
  stderr.closeInput();
  const setup: Uint8Array[] = [];
  stdout.output.on('data', (data: Uint8Array) => io.stdout(data));
  stderr.output.on('data', (data: Uint8Array) => io.stderr(data));
  child.stdio[3]?.on('data', (data: Uint8Array) => setup.push(data));
  const abort = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) end(child.pid);
  };
  signal.addEventListener('abort', abort);
  // Until the set-up has come to pid 1, other processes of it can be killed in its place.
  const again = setInterval(() => signal.aborted && abort(), ABORT_AGAIN_MS).unref();
  if (signal.aborted) abort();
  try {
    const [[code, name]] = await Promise.all([
      once(child, 'close'),
      once(stdout.output, 'close'),
      once(stderr.output, 'close'),
    ]);
    if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
    return { exitCode: exitCodeOf(code, name), setup: Buffer.concat(setup) };
  } catch (cause) {
    if (cause instanceof TbuildError) throw cause;
    throw new TbuildError('PROCESS_FAILED', `Cannot start "${file}"`, { cause });
  } finally {
    signal.removeEventListener('abort', abort);
    clearInterval(again);
  }
}

function withOpenFiles<T>(paths: readonly string[], use: (descriptors: readonly number[]) => T): T {
  const opened: number[] = [];
  try {
    for (const path of paths) opened.push(openSync(path, 'w'));
    return use(opened);
  } finally {
    opened.forEach((descriptor) => closeSync(descriptor));
  }
}

/**
 * Kills pid 1 of the sandbox, not the `unshare` above it: that one ends only after it has reaped pid 1, which the
 * kernel allows only after every process of the namespace is gone.
 */
function killInit(pid: number): void {
  const inits = childrenOf(pid);
  for (const init of inits.length > 0 ? inits : [pid]) sendSignal(init, 'SIGKILL');
}

/** A process that is gone already is success. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
