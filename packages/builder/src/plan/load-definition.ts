import { lintBeforeError, type LintWarning } from '@tbuild/dockerfile';
import { hasCode } from '@tbuild/errors';
import { givenCheckOptions } from '@tbuild/frontend';
import type { Progress } from '@tbuild/progress';
import type { BuildRun } from '../build-run.ts';
import type { BuildRequest } from '../request.ts';
import { track, type TrackOptions } from '../track.ts';
import { parseDefinition, readDefinition, type Definition, type LoadedDockerfile } from './load-dockerfile.ts';

export interface LoadOptions extends Pick<BuildRun, 'progress' | 'onDefinition'>, Pick<TrackOptions, 'now'> {
  /** Receives the warnings found before an error of the parser. Shows them by default. */
  onWarning?(warning: LintWarning): void;
  /** Returns the name to show for the Dockerfile. */
  nameOf?(definition: Definition): string;
}

/** Loads and parses the Dockerfile of a request, shown as one step. */
export async function loadDefinition(request: BuildRequest, options: LoadOptions): Promise<LoadedDockerfile> {
  const {
    progress,
    now,
    onDefinition,
    nameOf,
    onWarning = (warning) => showWarning(warning, request, progress),
  } = options;
  const loaded = await track({ progress, now }, definitionStep(request), async (report) => {
    const read = readDefinition(request);
    const definition = { ...read, name: nameOf?.(read) ?? read.name };
    onDefinition?.(definition);
    report('transferring dockerfile', definition.size);
    return parseOrWarn(definition, request, onWarning);
  });
  // Docker pulls the frontend here. The line shows that tbuild does not.
  if (loaded.syntax !== undefined)
    await track({ progress, now }, `[internal] frontend ${loaded.syntax} is built in`, async () => {});
  return loaded;
}

/** Shows a warning on the step that loads the Dockerfile. */
export function showWarning(warning: LintWarning, request: BuildRequest, progress: Progress): void {
  const { rule, message, location, token, url, description } = warning;
  const step = definitionStep(request);
  progress.emit({ type: 'warning', step, message: `${rule}: ${message}`, location, token, url, detail: description });
}

function parseOrWarn(
  definition: Definition,
  request: BuildRequest,
  onWarning: (warning: LintWarning) => void,
): LoadedDockerfile {
  try {
    return parseDefinition(definition, request);
  } catch (error) {
    if (!hasCode(error, 'DOCKERFILE_SYNTAX')) throw error;
    const options = givenCheckOptions(request.buildArgs);
    for (const warning of lintBeforeError(definition.text, definition.name, options)) onWarning(warning);
    throw error;
  }
}

/** Returns the name of the step that loads the Dockerfile, which is also its ID. */
export function definitionStep({ dockerfile }: BuildRequest): string {
  const name = dockerfile.kind === 'inline' ? dockerfile.name : fileName(dockerfile);
  return `[internal] load build definition from ${name}`;
}

function fileName(dockerfile: BuildRequest['dockerfile']): string {
  const path = dockerfile.kind === 'file' ? dockerfile.path : undefined;
  return path?.split('/').at(-1) ?? 'Dockerfile';
}
