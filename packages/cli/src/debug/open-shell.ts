import { runShell, type Services } from '@tbuild/builder';
import { type BuildRecord, findBuild } from '@tbuild/builds';
import { silent } from '@tbuild/progress';
import { acquireLease } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { attachTerminal, requireTerminal } from './attach-terminal.ts';
import { findStep } from './find-step.ts';
import { type PlaceOptions, shellPlace } from './shell-place.ts';

export interface ShellOptions extends PlaceOptions {
  readonly build?: string;
  readonly at?: string;
  /** What one can do in this shell besides. */
  readonly note: string;
  readonly signal: AbortSignal;
}

/** The exit code of the command `retry` of a shell. */
export const RETRY = 75;

/**
 * Runs a shell at a step of a recorded build, and returns its exit code.
 * @throws TbuildError USAGE without a terminal, NOT_FOUND for a build, step or tree that the store lacks.
 */
export async function openShell(
  { build, at, note, before, readSecret, signal }: ShellOptions,
  services: Services,
  env: Environment,
): Promise<number> {
  requireTerminal(env);
  const record = findBuild(services.store, build);
  const step = findStep(record, at);
  const place = shellPlace(record, step, { before, readSecret });
  using _lease = acquireLease(services.store);
  env.stderr.write(`${describe(record, step, before)}${note}\n`);
  const attached = attachTerminal(env);
  const { TERM = 'xterm', COLORTERM } = env.variables;
  const variables = [`TERM=${TERM}`, ...(COLORTERM === undefined ? [] : [`COLORTERM=${COLORTERM}`])];
  try {
    const shell = { terminal: attached.terminal, startText: START, env: variables };
    return await runShell(place, services, { shell, progress: silent, signal });
  } finally {
    await attached.detach();
  }
}

/** Shells read this when they start. */
const START = `retry() { exit ${RETRY}; }\nPS1='(step) \\w \\$ '\n`;

function describe({ id, failed }: BuildRecord, step: { readonly id: string; readonly name: string }, before: boolean) {
  const state = before ? 'before' : failed?.step === step.id ? 'as it failed' : 'after';
  return `Shell in build ${id}, ${state}: ${step.name}\nChanges are discarded. "exit" leaves the shell`;
}
