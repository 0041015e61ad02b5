import type { Services } from '@tbuild/builder';
import { hasCode } from '@tbuild/errors';
import type { Environment } from '../config/environment.ts';
import { exitCodeOf, formatError, type ReportOptions } from '../print/report-error.ts';
import type { FailedBuild } from './after-failure.ts';
import type { OnError } from './on-error.ts';

/** How a build ended. */
export interface BuildEnd {
  readonly exitCode: number;
  /** Set when a step failed. */
  readonly failed?: FailedBuild;
}

/** Builds, and builds again while the user asks for that when a step failed. Returns the exit code. */
export async function withRetries(onError: OnError, env: Environment, build: () => Promise<BuildEnd>): Promise<number> {
  for (;;) {
    const { exitCode, failed } = await build();
    if (failed === undefined || onError === 'exit') return exitCode;
    const { wantsRetry } = await import('./after-failure.ts');
    if (!(await wantsRetry(failed, onError, env))) return exitCode;
  }
}

/** What a report of a failure needs of the build. */
export interface FailureContext extends Pick<FailedBuild, 'secretsOf'>, Pick<ReportOptions, 'sourceOf'> {
  readonly opened: Pick<FailedBuild, 'variablesOf'> & {
    readonly ref: string;
    readonly services: Pick<Services, 'store' | 'now'>;
  };
  readonly flags: { readonly debug?: boolean; readonly root?: string };
  readonly onError: OnError;
}

/** Reports why a build failed, when the failed step succeeded last, and how to look into it unless that is asked. */
export async function reportFailure(
  error: unknown,
  {
    opened: { ref, services, variablesOf },
    flags: { debug = false, root },
    onError,
    sourceOf,
    secretsOf,
  }: FailureContext,
  { stderr }: Environment,
): Promise<BuildEnd> {
  const { store, now } = services;
  stderr.write(await formatError(error, { debug, store: store.root, sourceOf, columns: stderr.columns }));
  const exitCode = exitCodeOf(error);
  if (!hasCode(error, 'PROCESS_FAILED')) return { exitCode };
  const { lastSuccess, shellNote } = await import('../print/failed-step.ts');
  stderr.write(lastSuccess(store, ref, now()) + (onError === 'exit' ? shellNote(store, ref, root) : ''));
  return { exitCode, failed: { ref, store, secretsOf, variablesOf } };
}
