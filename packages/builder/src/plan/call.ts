import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { listTargets, outlineDockerfile, type Outline, type Target } from '@tbuild/frontend';
import { GraphBuilder } from '@tbuild/graph';
import type { BuildEnvironment, BuildRun } from '../build-run.ts';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
import { fetchContext } from '../session/fetch-context.ts';
import { openContexts } from '../session/open-contexts.ts';
import { loadDefinition } from './load-definition.ts';
import type { Definition } from './load-dockerfile.ts';
import { namedContexts, planRequest, refuseViolations, uniqueWarnings } from './plan-request.ts';

/** A Dockerfile that locations refer to. */
export type DockerfileSource = Pick<Definition, 'name' | 'text'>;

/** The result of checking a Dockerfile. */
export interface CheckReport {
  readonly source: DockerfileSource;
  readonly warnings: readonly LintWarning[];
  /** The error that would fail a build before its first step. */
  readonly error?: TbuildError;
}

/**
 * Plans a build of the target, or of every stage if none is given, without running it.
 * @throws TbuildError NOT_FOUND without a Dockerfile, CANCELLED. Other failures are part of the report.
 */
export async function checkBuild(request: BuildRequest, services: Services, run: BuildRun): Promise<CheckReport> {
  await using local = await fetchContext(request, services, run);
  let source: DockerfileSource | undefined;
  const onDefinition = (definition: DockerfileSource): void => {
    source = definition;
    run.onDefinition?.(definition);
  };
  const env = environmentOf(local.request, services, { ...run, onDefinition });
  const found: LintWarning[] = [];
  try {
    const onWarning = (warning: LintWarning): unknown => found.push(warning);
    const loaded = await loadDefinition(env, onWarning);
    const allStages = (request.target ?? '') === '';
    const planning = { ...env, loaded, contexts: openContexts(loaded, env) };
    refuseViolations(await planRequest(planning, { graph: new GraphBuilder(), allStages, onWarning }), planning);
    return { source: loaded, warnings: uniqueWarnings(found) };
  } catch (error) {
    if (source === undefined || !(error instanceof TbuildError) || error.code === 'CANCELLED') throw error;
    return { source, warnings: uniqueWarnings(found), error };
  }
}

/**
 * Returns the arguments, secrets and agents of the target.
 * @throws TbuildError as planning does.
 */
export async function outlineBuild(
  request: BuildRequest,
  services: Services,
  run: BuildRun,
): Promise<{ readonly source: DockerfileSource; readonly outline: Outline }> {
  await using local = await fetchContext(request, services, run);
  const env = environmentOf(local.request, services, run);
  const loaded = await loadDefinition(env);
  const planning = { ...env, loaded, contexts: openContexts(loaded, env) };
  const [plan] = await planRequest(planning, { graph: new GraphBuilder() });
  if (plan === undefined) throw new Error('Expected at least one platform');
  const outline = outlineDockerfile(loaded.dockerfile, {
    target: request.target,
    platform: request.platforms[0] ?? services.platform,
    buildPlatform: services.platform,
    buildArgs: request.buildArgs,
    contexts: namedContexts(request),
    declared: plan.declaredArgs,
  });
  return { source: loaded, outline };
}

/**
 * Lists the stages of the Dockerfile without looking at anything else.
 * @throws TbuildError DOCKERFILE_SYNTAX, NOT_FOUND.
 */
export async function listBuildTargets(
  request: BuildRequest,
  services: Services,
  run: BuildRun,
): Promise<{ readonly source: DockerfileSource; readonly targets: readonly Target[] }> {
  await using local = await fetchContext(request, services, run);
  const loaded = await loadDefinition(environmentOf(local.request, services, run));
  return { source: loaded, targets: listTargets(loaded.dockerfile) };
}

function environmentOf(request: BuildRequest, services: Services, run: BuildRun): BuildEnvironment {
  return { ...run, request, services, now: () => services.now() };
}
