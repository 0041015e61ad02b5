import { TbuildError } from '@tbuild/errors';
import type { CallProgram } from './enter/call-program.ts';
import { describe, readReport } from './enter/enter-sandbox.ts';
import type { ProcessIO } from './executor.ts';
import type { Ended } from './run-process.ts';

/** What the set-up says when everything is mounted: a byte that no message holds. */
export const READY = '\u0004';

/**
 * The process's own exit code, or what the set-up's report means.
 *
 * @throws TbuildError PROCESS_FAILED when the set-up failed.
 */
export function exitCodeOf(
  { exitCode, setup }: Ended,
  { program, args, io }: { readonly program: CallProgram; readonly args: readonly string[]; readonly io: ProcessIO },
): number {
  const ready = setup.indexOf(READY);
  if (ready < 0) throw setupFailure(setup.toString().trim());
  const report = setup.subarray(ready + READY.length);
  if (report.length === 0) return exitCode;
  const failure = readReport(program, args[0] ?? '', report);
  if ('call' in failure) throw setupFailure(`${failure.call.name}: ${describe(failure.errno)}`);
  io.stderr(Buffer.from(failure.message));
  return failure.exitCode;
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
