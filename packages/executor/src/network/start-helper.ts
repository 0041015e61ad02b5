import { abortable } from '@tbuild/concurrency';
import { openUnnamedFile, type StartedProcess } from '@tbuild/linux';
import { DIE_WITH_PARENT } from '../enter/process-calls.ts';
import { requireMachine } from '../machine/describe-host.ts';
import { startTool } from '../machine/tools.ts';
import { openNamelessPipe, type OutputPipe } from '../process/output-pipe.ts';
import { killInit } from '../process/run-process.ts';
import { encodeSyscallProgram, type Syscall } from '../syscalls/syscall-program.ts';

/** A process that serves a build and dies with it. */
export interface Helper {
  readonly child: StartedProcess;
  /** Resolves when it is ready, or to false if it ended instead. Rejects with the signal's reason on abort. */
  readonly isReady: Promise<boolean>;
}

export interface HelperOptions {
  readonly runDirectory: string;
  /** Standard input and error. */
  readonly input: number;
  readonly errors: number;
  /** The descriptors from {@link FIRST_MORE} on. */
  readonly more?: readonly number[];
  /** Kills it while it is not ready. */
  readonly signal: AbortSignal;
}

/** The first of the descriptors that a helper gets besides. */
export const FIRST_MORE = 4;
const PROGRAM = 3;

/** Starts a program of system calls, which is ready when it, or what it has become, writes a digit to standard output. */
export function startHelper(
  calls: readonly Syscall[],
  { runDirectory, input, errors, more = [], signal }: HelperOptions,
): Helper {
  const bytes = encodeSyscallProgram(requireMachine(), { calls: [DIE_WITH_PARENT, ...calls], reportTo: 1 });
  using executable = openUnnamedFile(`${runDirectory}/helper-${process.pid}`, bytes, 0o755);
  const ready = openNamelessPipe();
  try {
    const child = startTool(`/proc/self/fd/${PROGRAM}`, [], [input, ready.input, errors, executable.fd, ...more]);
    ready.closeInput();
    void child.ended();
    const isReady = answerOf(child, ready, signal);
    // Whoever started it may have failed since.
    isReady.catch(() => {});
    return { child, isReady };
  } catch (error) {
    ready[Symbol.dispose]();
    throw error;
  }
}

async function answerOf(child: StartedProcess, pipe: OutputPipe, signal: AbortSignal): Promise<boolean> {
  using ready = pipe;
  const answered = new Promise<boolean>((resolve) => {
    // The report of a program that failed begins with another byte.
    ready.output.once('data', (data: Buffer) => resolve(/^\d/.test(data.toString('latin1'))));
    ready.output.once('close', () => resolve(false));
  });
  try {
    return await abortable(answered, signal);
  } catch (error) {
    if (child.isRunning()) killInit(child.pid);
    throw error;
  }
}
