import type { Resolved } from '@tbuild/bake';
import type { BuildRun } from '@tbuild/builder';
import { parseCall } from '../commands/call/call-spec.ts';
import { runCall } from '../commands/call/run-call.ts';
import type { Environment } from '../config/environment.ts';
import { interruptible } from '../services/interruptible.ts';
import type { OpenBake } from '../services/open-build.ts';
import { withinTarget } from './within-target.ts';

/** The answers to the calls of all targets. */
export interface BakeAnswers {
  readonly output: string;
  readonly exitCode: number;
  /** The first error. The program fails whatever the exit code. */
  readonly error?: Error;
}

/** Whether a target has a call, in place of a build. */
export function hasCalls({ targets }: Pick<Resolved, 'targets'>): boolean {
  return [...targets].some(([name, { call = '' }]) => withinTarget({ name }, () => parseCall(call)) !== undefined);
}

/**
 * Answers the calls of the targets that have one.
 * @throws TbuildError for errors of planning, except for `check`, which reports them.
 */
export async function bakeCalls(
  { targets }: Pick<Resolved, 'targets'>,
  opened: OpenBake,
  { run, env }: { readonly run: Omit<BuildRun, 'signal' | 'readSecret'>; readonly env: Environment },
): Promise<BakeAnswers> {
  const texts: string[] = [];
  let exitCode = 0;
  let error: Error | undefined;
  const requests = new Map(opened.targets.map((target) => [target.name, target.request]));
  const definitions = new Map<string, string>();
  for (const { name, request, isLink } of opened.targets) {
    const call = isLink ? undefined : parseCall(targets.get(name)?.call ?? '');
    if (call === undefined) continue;
    const { services } = opened;
    const place = { name, targets: requests, definitions };
    const answer = await interruptible((signal) =>
      runCall(call, request, { services, run: { ...run, place, signal }, env }),
    );
    texts.push(call.format === 'json' || answer.output === '' ? answer.output : `${name}\n\n${answer.output}`);
    exitCode = Math.max(exitCode, answer.exitCode);
    error ??= answer.error;
  }
  return { output: texts.join('\n'), exitCode, ...(error === undefined ? {} : { error }) };
}
