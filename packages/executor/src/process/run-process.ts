import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { StartedProcess } from '@tbuild/linux';
import type { ProcessIO } from '../executor.ts';
import { openNamelessPipe, type OutputPipe } from './output-pipe.ts';
import { startTool } from '../machine/tools.ts';

export interface RunOptions {
  readonly io: ProcessIO;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  readonly signal: AbortSignal;
  /** What is open as descriptor {@link PROGRAM}. */
  readonly program: number;
  /** Files that are open for writing from descriptor {@link FIRST_JOIN_DESCRIPTOR} on. */
  readonly joinFiles: readonly string[];
  /** Asks the running program to end everything; when absent, pid 1 of its namespace is killed. */
  readonly end?: (pid: number) => void;
}

/** How a sandboxed process ended, and what its set-up said. */
export interface ProcessResult {
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
export async function runProcess(args: readonly string[], options: RunOptions): Promise<ProcessResult> {
  const { io, stdout, stderr, signal, end = killInit } = options;
  using report = openNamelessPipe();
  const child = start(args, options, report.input);
  for (const each of [stdout, stderr, report]) each.closeInput();
  const setup: Uint8Array[] = [];
  stdout.output.on('data', (data: Uint8Array) => io.stdout(data));
  stderr.output.on('data', (data: Uint8Array) => io.stderr(data));
  report.output.on('data', (data: Uint8Array) => setup.push(data));
  const abort = (): void => {
    if (child.isRunning()) end(child.pid);
  };
  signal.addEventListener('abort', abort);
  // Until the set-up has come to pid 1, other processes of it can be killed in its place.
  const again = setInterval(() => signal.aborted && abort(), ABORT_AGAIN_MS).unref();
  if (signal.aborted) abort();
  try {
    const closed = [stdout, stderr, report].map(({ output }) => once(output, 'close'));
    const [{ code, signal: killer }] = await Promise.all([child.ended(), ...closed]);
    if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
    return { exitCode: killer === undefined ? (code ?? 1) : 128 + killer, setup: Buffer.concat(setup) };
  } finally {
    signal.removeEventListener('abort', abort);
    clearInterval(again);
  }
}

function start([name = '', ...args]: readonly string[], options: RunOptions, report: number): StartedProcess {
  const { stdout, stderr, program, joinFiles } = options;
  const opened: number[] = [];
  try {
    const nothing = openSync('/dev/null', 'r');
    opened.push(nothing);
    for (const path of joinFiles) opened.push(openSync(path, 'w'));
    return startTool(name, args, [nothing, stdout.input, stderr.input, report, program, ...opened.slice(1)]);
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
  // It may fork at this moment, and parent and child are a process group until the step begins.
  for (const init of inits.length > 0 ? inits : [-pid]) sendSignal(init, 'SIGKILL');
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
