import { TbuildError } from '@tbuild/errors';
import type { Call, CallProgram } from './enter/call-program.ts';
import { describe, readReport } from './enter/enter-sandbox.ts';
import type { ProcessIO } from './executor.ts';
import type { Ended } from './run-process.ts';

/** What the set-up says when everything is mounted: a byte that no message holds, and that begins no report. */
export const READY = '\u0004';

/** What ran, and who hears of it. */
export interface ReportedRun {
  readonly program: CallProgram;
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
export function exitCodeOf({ exitCode, setup }: Ended, { program, setsUp, args, io }: ReportedRun): number {
  const ready = setup.indexOf(READY);
  // Before a program of calls has said so, it says nothing but its report, which may hold any byte after the first.
  if (ready < 0 || (setsUp && ready > 0))
    throw setupFailure(setsUp && setup.length > 0 ? failureIn(program, setup) : setup.toString().trim());
  const report = setup.subarray(ready + READY.length);
  if (report.length === 0) return exitCode;
  const failure = readReport(program, args[0] ?? '', report);
  if ('call' in failure) throw setupFailure(textOf(failure));
  io.stderr(Buffer.from(failure.message));
  return failure.exitCode;
}

function failureIn(program: CallProgram, report: Buffer): string {
  const failure = readReport(program, '', report);
  return 'call' in failure ? textOf(failure) : failure.message;
}

function textOf({ call, errno }: { readonly call: Call; readonly errno: number }): string {
  return `${call.name}: ${describe(errno)}`;
}

/** What a step fails with when its sandbox cannot be put together. */
export function setupFailure(complaint: string): TbuildError {
  return new TbuildError('PROCESS_FAILED', 'The sandbox of the step could not be set up', {
    cause: new Error(complaint),
    hint: [...complaint.split('\n').slice(0, 1).filter(Boolean), 'tbuild doctor tells what this machine allows'].join(
      '; ',
    ),
  });
}
