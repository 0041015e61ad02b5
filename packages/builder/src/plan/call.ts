import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { listTargets, outlineDockerfile, type Outline, type Target } from '@tbuild/frontend';
import type { BuildRequest } from '../request.ts';
import { type CallPorts, type CallRun, type DockerfileSource, openCall } from './open-call.ts';
import { namedContexts, planRequest, refuseViolations, uniqueWarnings } from './plan-request.ts';

/** The result of checking a Dockerfile. */
export interface CheckReport {
  readonly source: DockerfileSource;
  /** In the order in which they were found, as BuildKit reports them. */
  readonly warnings: readonly LintWarning[];
  /** The error that would fail a build before its first step. */
  readonly error?: TbuildError;
}

/**
 * Plans a build of the target, or of every stage if none is given, without running it.
 * @throws TbuildError NOT_FOUND without a Dockerfile, CANCELLED. Other failures are part of the report.
 */
export async function checkBuild(request: BuildRequest, ports: CallPorts, run: CallRun): Promise<CheckReport> {
  await using call = await openCall(request, ports, run);
  const found: LintWarning[] = [];
  try {
    const onWarning = (warning: LintWarning): unknown => found.push(warning);
    const { inputs, openPlanning } = await call.load(onWarning);
    const planning = await openPlanning();
    const allStages = (request.target ?? '') === '';
    refuseViolations(await planRequest(inputs, { ...planning, allStages, onWarning }), inputs.loaded);
    return { source: inputs.loaded, warnings: uniqueWarnings(found) };
  } catch (error) {
    const { source } = call;
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
  ports: CallPorts,
  run: CallRun,
): Promise<{ readonly source: DockerfileSource; readonly outline: Outline }> {
  await using call = await openCall(request, ports, run);
  const { inputs, openPlanning } = await call.load();
  const { loaded } = inputs;
  const planning = await openPlanning();
  const [plan] = await planRequest(inputs, planning);
  if (plan === undefined) throw new Error('Expected at least one platform');
  const outline = outlineDockerfile(loaded.dockerfile, {
    target: request.target,
    platform: request.platforms[0] ?? ports.platform,
    buildPlatform: ports.platform,
    buildArgs: request.buildArgs,
    contexts: namedContexts(request, planning.linked),
    declared: plan,
  });
  return { source: loaded, outline };
}

/**
 * Lists the stages of the Dockerfile without looking at anything else.
 * @throws TbuildError DOCKERFILE_SYNTAX, NOT_FOUND, USAGE for a wrong `SOURCE_DATE_EPOCH`.
 */
export async function listBuildTargets(
  request: BuildRequest,
  ports: CallPorts,
  run: CallRun,
): Promise<{ readonly source: DockerfileSource; readonly targets: readonly Target[] }> {
  await using call = await openCall(request, ports, run);
  const { loaded } = (await call.load()).inputs;
  return { source: loaded, targets: listTargets(loaded.dockerfile) };
}
