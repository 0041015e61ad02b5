import { runShell, type Services } from '@tbuild/builder';
import { type BuildRecord, findBuild, hiddenNames } from '@tbuild/builds';
import { silent } from '@tbuild/progress';
import type { BuildSettings, Isolation } from '@tbuild/spec';
import { acquireLease, type StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { createServices } from '../services/create-services.ts';
import { servicesOptions } from '../services/services-options.ts';
import { attachTerminal, requireTerminal } from './attach-terminal.ts';
import { findStep } from './find-step.ts';
import { type PlaceOptions, requestsOf, shellPlace } from './shell-place.ts';

export interface ShellOptions extends PlaceOptions {
  readonly build?: string;
  readonly at?: string;
  /** Instead of the isolation that the build had. */
  readonly isolation?: Isolation;
  /** What one can do in this shell besides. */
  readonly note: string;
  readonly signal: AbortSignal;
}

/** The exit code of the command `retry` of a shell. */
export const RETRY = 75;

/**
 * Runs a shell at a step of a recorded build, with what the step had around it, and returns its exit code.
 * @throws TbuildError USAGE without a terminal, NOT_FOUND for a build, step or tree that the store lacks.
 */
export async function openShell(
  { build, at, isolation, note, signal, ...rest }: ShellOptions,
  store: StoreLayout,
  env: Environment,
): Promise<number> {
  requireTerminal(env);
  const record = findBuild(store, build);
  const step = findStep(record, at);
  const place = shellPlace(record, step, rest);
  using _lease = acquireLease(store);
  const services = servicesOf(record, { store, isolation }, env);
  env.stderr.write(`${describe(record, step, rest.before)}${note}\n${missingValues(place.op.env)}`);
  const attached = attachTerminal(env);
  const { TERM = 'xterm', COLORTERM } = env.variables;
  const variables = [`TERM=${TERM}`, ...(COLORTERM === undefined ? [] : [`COLORTERM=${COLORTERM}`])];
  try {
    const shell = { terminal: attached.terminal, startText: START, env: variables };
    return await runShell(place, services, { shell, progress: silent, signal });
  } finally {
    await attached.detach();
    await services.close();
  }
}

/** Creates services as the build had them. */
function servicesOf(
  record: BuildRecord,
  { store, isolation }: { readonly store: StoreLayout; readonly isolation?: Isolation },
  env: Environment,
): Services {
  const settings = record.settings as BuildSettings | undefined;
  const changed = isolation === undefined ? { ...settings } : { ...settings, isolation };
  return createServices(servicesOptions(store.root, changed, requestsOf(record)), env);
}

/** Shells read this when they start. */
const START = `retry() { exit ${RETRY}; }\nPS1='(step) \\w \\$ '\n`;

function missingValues(env: readonly string[]): string {
  const names = hiddenNames(env);
  return names.length === 0 ? '' : `The record lacks the values of ${names.join(', ')}: set them in the shell\n`;
}

function describe({ id, failed }: BuildRecord, step: { readonly id: string; readonly name: string }, before: boolean) {
  const state = before ? 'before' : failed?.step === step.id ? 'as it failed' : 'after';
  return `Shell in build ${id}, ${state}: ${step.name}\nChanges are discarded. "exit" leaves the shell`;
}
