import type { BakeAnswer } from '@tbuild/api';
import { withContexts } from '../bake/with-contexts.ts';
import { buildMetadata } from '../print/build-metadata.ts';
import { openBake } from '../services/open-build.ts';
import { refuseStandardOutput } from './build-call.ts';
import type { Call } from './call.ts';
import { readBake } from './read-bake.ts';

/** Builds several targets as `tbuild bake` does. */
export const bakeCall: Call = async (argument, env, { progress, onDefinition }): Promise<BakeAnswer> => {
  const { definition, settings, readSecret } = readBake(argument);
  const { targets, only = Object.keys(targets), jobs, timeout } = definition;
  const asked = withContexts(targets, only).map(({ name, isLink }) => {
    const spec = { ...targets[name], context: targets[name]?.context ?? '.', jobs };
    return { name, isLink, spec, secretScope: '', readSecret };
  });
  await using opened = openBake({ targets: asked, settings, timeout }, env, progress);
  for (const { request } of opened.targets) refuseStandardOutput(request);
  const results = await opened.run({ onDefinition });
  return Object.fromEntries(
    [...results].map(([name, result]) => [name, { ...result, metadata: buildMetadata(result) }]),
  );
};
