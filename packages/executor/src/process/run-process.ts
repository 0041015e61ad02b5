import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { StartedProcess } from '@tbuild/linux';
import type { ProcessIO } from '../executor.ts';
import { startTool } from '../machine/tools.ts';
import { openNamelessPipe, type OutputPipe } from './output-pipe.ts';

export interface RunOptions {
  readonly io: ProcessIO;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  readonly signal: AbortSignal;
  /** The terminal of the process, in place of an empty input and the pipes. */
  readonly terminal?: number;
  /** The file that becomes descriptor {@link PROGRAM}. */
  readonly program: number;
  /** Files that become descriptors from {@link FIRST_JOIN_DESCRIPTOR} on, open for writing. */
  readonly joinFiles: readonly string[];
  /** The descriptors that follow. */
  readonly more?: readonly number[];
  /** Ends the running set-up and step. Default: kills pid 1 of its pid namespace. */
  readonly end?: (pid: number) => void;
}

/** How a sandboxed process ended, and the report of its set-up. */
export interface ProcessResult {
  readonly exitCode: number;
  /** The report, without the output of the process itself. */
  readonly setup: Buffer;
  /** The peak memory in bytes of its largest process, unless that is too small to be told from tbuild's own. */
  readonly largestProcess?: number;
}

const ABORT_AGAIN_MS = 100;

/**
 * Runs the set-up, and the process that it becomes, to their end. They have their own session, so that Ctrl-C in the
 * terminal reaches only tbuild.
 *
 * @throws TbuildError CANCELLED on abort, after every process is dead.
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
  // Until the set-up reaches pid 1, an abort may kill another of its processes instead.
  const again = setInterval(() => signal.aborted && abort(), ABORT_AGAIN_MS).unref();
  if (signal.aborted) abort();
  try {
    const closed = [stdout, stderr, report].map(({ output }) => once(output, 'close'));
    const [{ code, signal: killer, peakMemory }] = await Promise.all([child.ended(), ...closed]);
    if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
    const exitCode = killer === undefined ? (code ?? 1) : 128 + killer;
    const isOwn = peakMemory <= process.resourceUsage().maxRSS * 1024;
    return { exitCode, setup: Buffer.concat(setup), largestProcess: isOwn ? undefined : peakMemory };
  } finally {
    signal.removeEventListener('abort', abort);
    clearInterval(again);
  }
}

function start([name = '', ...args]: readonly string[], options: RunOptions, report: number): StartedProcess {
  const { stdout, stderr, program, joinFiles, more = [], terminal } = options;
  const opened: number[] = [];
  try {
    const nothing = openSync('/dev/null', 'r');
    opened.push(nothing);
    for (const path of joinFiles) opened.push(openSync(path, 'w'));
    const streams = terminal === undefined ? [nothing, stdout.input, stderr.input] : [terminal, terminal, terminal];
    return startTool(name, args, [...streams, report, program, ...opened.slice(1), ...more]);
  } finally {
    opened.forEach((descriptor) => closeSync(descriptor));
  }
}

/**
 * Kills pid 1 of the pid namespace that a process has made, rather than the process. That ends only after it has reaped
 * pid 1, which the kernel allows only when no process is left in the namespace.
 */
export function killInit(pid: number): void {
  const inits = childrenOf(pid);
  // The set-up may be forking right now. Parent and child share a process group until the step begins.
  for (const init of inits.length > 0 ? inits : [-pid]) sendSignal(init, 'SIGKILL');
}

/** Sends a signal. Succeeds if the process is already gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
