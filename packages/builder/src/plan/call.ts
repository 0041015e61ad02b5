import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { listTargets, outlineDockerfile, type Outline, type Target } from '@tbuild/frontend';
import type { BuildRun, Underway } from '../build-run.ts';
import type { Secrets } from '../ops/secrets.ts';
import type { BuildRequest } from '../request.ts';
import { readEpoch } from '../session/epoch.ts';
import { fetchContext, type FetchPorts } from '../session/fetch-context.ts';
import { openContexts } from '../session/open-contexts.ts';
import { loadDefinition } from './load-definition.ts';
import type { Definition } from './load-dockerfile.ts';
import {
  namedContexts,
  openPlanning,
  type PlanPorts,
  planRequest,
  refuseViolations,
  uniqueWarnings,
} from './plan-request.ts';

/** A Dockerfile that locations refer to. */
export type DockerfileSource = Pick<Definition, 'name' | 'text'>;

/** What answering without a build uses. */
export type CallPorts = FetchPorts & PlanPorts;

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
export async function checkBuild(request: BuildRequest, ports: CallPorts, run: BuildRun): Promise<CheckReport> {
  const underway = underwayOf(run, ports);
  await using local = await fetchContext(request, ports, underway);
  let source: DockerfileSource | undefined;
  const onDefinition = (definition: DockerfileSource): void => {
    source = definition;
    run.onDefinition?.(definition);
  };
  const found: LintWarning[] = [];
  try {
    const onWarning = (warning: LintWarning): unknown => found.push(warning);
    const loaded = await loadDefinition(local.request, { ...underway, onDefinition, onWarning });
    readEpoch({ loaded, given: request }, ports);
    const parsed = { request: local.request, loaded };
    const inputs = { ...parsed, contexts: openContexts(parsed, ports.store, underway) };
    const planning = openPlanning(local.request, ports, underway);
    const allStages = (request.target ?? '') === '';
    refuseViolations(await planRequest(inputs, { ...planning, allStages, onWarning }), loaded);
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
  ports: CallPorts,
  run: BuildRun,
): Promise<{ readonly source: DockerfileSource; readonly outline: Outline }> {
  const underway = underwayOf(run, ports);
  await using local = await fetchContext(request, ports, underway);
  const loaded = await loadDefinition(local.request, { ...run, now: underway.now });
  readEpoch({ loaded, given: request }, ports);
  const parsed = { request: local.request, loaded };
  const inputs = { ...parsed, contexts: openContexts(parsed, ports.store, underway) };
  const [plan] = await planRequest(inputs, openPlanning(local.request, ports, underway));
  if (plan === undefined) throw new Error('Expected at least one platform');
  const outline = outlineDockerfile(loaded.dockerfile, {
    target: request.target,
    platform: request.platforms[0] ?? ports.platform,
    buildPlatform: ports.platform,
    buildArgs: request.buildArgs,
    contexts: namedContexts(request),
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
  run: BuildRun,
): Promise<{ readonly source: DockerfileSource; readonly targets: readonly Target[] }> {
  const underway = underwayOf(run, ports);
  await using local = await fetchContext(request, ports, underway);
  const loaded = await loadDefinition(local.request, { ...run, now: underway.now });
  readEpoch({ loaded, given: request }, ports);
  return { source: loaded, targets: listTargets(loaded.dockerfile) };
}

function underwayOf({ progress, signal, readSecret }: BuildRun, { now }: Pick<CallPorts, 'now'>): Underway & Secrets {
  return { progress, signal, now, readSecret: (id) => readSecret?.(id) };
}
