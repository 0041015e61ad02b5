import type { BuildAnswer } from '@tbuild/api';
import { checkBuild, type BuildRequest } from '@tbuild/builder';
import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { buildMetadata } from '../print/build-metadata.ts';
import { onStandardOutput } from '../request/outputs.ts';
import { interruptible } from '../services/interruptible.ts';
import { openBuild } from '../services/open-build.ts';
import type { Call } from './call.ts';
import { readSpec } from './read-spec.ts';

/** Builds as `tbuild build` does. */
export const buildCall: Call = async (argument, env, { progress, onDefinition }): Promise<BuildAnswer> => {
  const { readSecret, ...asked } = readSpec(argument);
  await using opened = openBuild(asked, env, progress);
  refuseStandardOutput(opened.request);
  const result = await opened.run({ readSecret, onDefinition });
  return { ...result, metadata: buildMetadata(result) };
};

/** Returns what `tbuild --check` finds. */
export const checkCall: Call = async (argument, env, { progress, onDefinition }): Promise<readonly LintWarning[]> => {
  const { readSecret: _, ...asked } = readSpec(argument);
  await using opened = openBuild(asked, env, progress);
  const { request, services } = opened;
  const { warnings, error } = await interruptible((signal) =>
    checkBuild(request, services, { progress, onDefinition, signal }),
  );
  if (error !== undefined) throw error;
  return warnings;
};

/** @throws TbuildError USAGE for an output that goes to standard output, which a program has none of. */
export function refuseStandardOutput({ outputs }: Pick<BuildRequest, 'outputs'>): void {
  const output = onStandardOutput(outputs);
  if (output === undefined) return;
  throw new TbuildError('USAGE', `Output type ${output.type} needs a dest: a program gets no standard output`, {
    hint: 'Name a file with dest',
  });
}
