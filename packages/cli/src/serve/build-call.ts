import type { BuildAnswer } from '@tbuild/api';
import { checkBuild } from '@tbuild/builder';
import type { OutputSpec } from '@tbuild/spec';
import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { buildMetadata } from '../print/build-metadata.ts';
import { interruptible } from '../services/interruptible.ts';
import { openBuild } from '../services/open-build.ts';
import type { Call } from './call.ts';
import { specWords } from './spec-words.ts';

/** Builds as `tbuild build` does. */
export const buildCall: Call = async (argument, env, { progress, onDefinition }): Promise<BuildAnswer> => {
  const { readSecret, ...words } = specWords(argument);
  await using opened = openBuild(words, env, progress);
  for (const output of opened.request.outputs) refuseStandardOutput(output);
  const result = await opened.run({ readSecret, onDefinition });
  return { ...result, metadata: buildMetadata(result) };
};

/** What `tbuild --check` finds. */
export const checkCall: Call = async (argument, env, { progress, onDefinition }): Promise<readonly LintWarning[]> => {
  const { readSecret: _, ...words } = specWords(argument);
  await using opened = openBuild(words, env, progress);
  const { request, worker } = opened;
  const { warnings, error } = await interruptible((signal) =>
    checkBuild(request, worker, { progress, onDefinition, signal }),
  );
  if (error !== undefined) throw error;
  return warnings;
};

function refuseStandardOutput(output: OutputSpec): void {
  if (!('destination' in output) || output.destination !== '-') return;
  throw new TbuildError(
    'USAGE',
    `Output type ${output.type} has no dest, and a program has no standard output to give`,
    {
      hint: 'Name a file',
    },
  );
}
