import { constants } from 'node:os';
import { TbuildError } from '@tbuild/errors';
import type { Syscall, SyscallProgram } from '../syscalls/syscall-program.ts';
import { describeErrno, readReport } from '../enter/enter-sandbox.ts';
import type { ProcessIO } from '../executor.ts';
import type { ProcessResult } from './run-process.ts';

/** What the set-up says when everything is mounted: a byte that no message holds, and that begins no report. */
export const READY = '\u0004';

/** What ran, and who hears of it. */
export interface ReportedRun {
  readonly program: SyscallProgram;
  /** Whether the program is the set-up too, and its report tells what failed of that. */
  readonly setsUp: boolean;
  readonly args: readonly string[];
  readonly io: ProcessIO;
}

/**
 * The process's own exit code, or what the set-up's report means.
 *
 * @throws TbuildError PROCESS_FAILED when the set-up failed.
 */
export function exitCodeOf({ exitCode, setup }: ProcessResult, { program, setsUp, args, io }: ReportedRun): number {
  const ready = setup.indexOf(READY);
  // Before a program of calls has said so, it says nothing but its report, which may hold any byte after the first.
  if (ready < 0 || (setsUp && ready > 0))
    throw setupFailure(setsUp && setup.length > 0 ? failureIn(program, setup) : setup.toString());
  const report = setup.subarray(ready + READY.length);
  if (report.length === 0) return exitCode;
  const failure = readReport(program, args[0] ?? '', report);
  if ('call' in failure) throw setupFailure(textOf(failure));
  io.stderr(Buffer.from(failure.message));
  return failure.exitCode;
}

function failureIn(program: SyscallProgram, report: Buffer): string {
  const failure = readReport(program, '', report);
  return 'call' in failure ? textOf(failure) : failure.message;
}

/** The system call with the names that it was given, and the errno: `mount("overlay", "/run/root", "overlay") failed: ELOOP`. */
function textOf({ call: { name, args }, errno }: { readonly call: Syscall; readonly errno: number }): string {
  const names = args.flatMap((arg) => (typeof arg === 'object' && 'text' in arg ? [JSON.stringify(arg.text)] : []));
  return `${name}(${names.slice(0, MOST_NAMES).join(', ')}) failed: ${errnoText(errno)}`;
}

/** Source, target and type of a mount; the options of an overlay are as long as its layers are many. */
const MOST_NAMES = 3;

function errnoText(errno: number): string {
  const [name, words] = [
    Object.entries(constants.errno).find(([, value]) => value === errno)?.[0],
    describeErrno(errno),
  ];
  return name === undefined || name === words ? words : `${words} (${name})`;
}

/** What a step fails with when its sandbox cannot be put together. The complaint's first line says what was refused. */
export function setupFailure(complaint: string): TbuildError {
  const text = complaint.trim();
  const reason = text.split('\n')[0]?.replace(/\.$/, '') ?? '';
  const message = 'The sandbox of the step could not be set up';
  return new TbuildError('PROCESS_FAILED', reason === '' ? message : `${message}: ${reason}`, {
    cause: new Error(text),
    hint: 'If every RUN step fails like this, run "tbuild doctor" to see what is missing on this machine',
  });
}
