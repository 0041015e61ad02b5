import { constants } from 'node:os';
import { TbuildError } from '@tbuild/errors';
import { describeErrno, readReport } from '../enter/enter-sandbox.ts';
import type { ProcessIO, StepEnd } from '../executor.ts';
import type { Syscall, SyscallProgram } from '../syscalls/syscall-program.ts';
import type { ProcessResult } from './run-process.ts';

/**
 * The byte that the set-up reports when everything is mounted. No error message contains it, and no report begins
 * with it.
 */
export const READY = '\u0004';

/** The process that ran, and its output. */
export interface ReportedRun {
  readonly program: SyscallProgram;
  /** Whether the program also does the set-up, so that its report covers that too. */
  readonly setsUp: boolean;
  readonly args: readonly string[];
  readonly io: ProcessIO;
}

/** How the process ended. */
export type ProcessEnd = Pick<StepEnd, 'exitCode' | 'notExecuted'> & Pick<ProcessResult, 'largestProcess'>;

/**
 * Returns how the process ended, or why it could not be executed.
 *
 * @throws TbuildError PROCESS_FAILED if the set-up failed.
 */
export function endOf(
  { exitCode, setup, largestProcess }: ProcessResult,
  { program, setsUp, args, io }: ReportedRun,
): ProcessEnd {
  const ready = setup.indexOf(READY);
  // Before READY, a syscall program writes nothing but its report, which may contain any byte after the first.
  if (ready < 0 || (setsUp && ready > 0))
    throw setupFailure(setsUp && setup.length > 0 ? failureIn(program, setup) : setup.toString());
  const report = setup.subarray(ready + READY.length);
  if (report.length === 0) return { exitCode, largestProcess };
  const failure = readReport(program, args[0] ?? '', report);
  if ('call' in failure) throw setupFailure(textOf(failure));
  io.stderr(Buffer.from(`${failure.notExecuted}\n`));
  return { exitCode: 1, notExecuted: failure.notExecuted };
}

function failureIn(program: SyscallProgram, report: Buffer): string {
  const failure = readReport(program, '', report);
  return 'call' in failure ? textOf(failure) : failure.notExecuted;
}

/** Formats a failed system call: `mount("overlay", "/run/root", "overlay") failed: ELOOP`. */
function textOf({ call: { name, args }, errno }: { readonly call: Syscall; readonly errno: number }): string {
  const names = args.flatMap((arg) => (typeof arg === 'object' && 'text' in arg ? [JSON.stringify(arg.text)] : []));
  return `${name}(${names.slice(0, MAX_SHOWN_ARGUMENTS).join(', ')}) failed: ${errnoText(errno)}`;
}

/** The source, target and type of a mount. The options of an overlay may be very long. */
const MAX_SHOWN_ARGUMENTS = 3;

function errnoText(errno: number): string {
  const [name, words] = [
    Object.entries(constants.errno).find(([, value]) => value === errno)?.[0],
    describeErrno(errno),
  ];
  return name === undefined || name === words ? words : `${words} (${name})`;
}

/** Returns the error for a sandbox that cannot be set up. The first line of the output says what failed. */
export function setupFailure(output: string): TbuildError {
  const text = output.trim();
  const reason = text.split('\n')[0]?.replace(/\.$/, '') ?? '';
  const message = 'The sandbox of the step could not be set up';
  return new TbuildError('PROCESS_FAILED', reason === '' ? message : `${message}: ${reason}`, {
    cause: new Error(text),
    hint: 'Run "tbuild doctor" to see what is missing on this machine, if every RUN step fails like this',
  });
}
