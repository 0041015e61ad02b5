import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { planBuild, type NamedContext, type Plan, type PlanOptions, type ResolveImage } from '@tbuild/frontend';
import type { GraphBuilder } from '@tbuild/graph';
import type { Platform } from '@tbuild/oci';
import { createResolveImage } from '@tbuild/sources';
import type { BuildEnvironment } from '../build-run.ts';
import type { BuildRequest, ContextSpec } from '../request.ts';
import { MAIN_CONTEXT, type Contexts } from '../session/contexts.ts';
import { remoteContext } from '../session/remote-op.ts';
import { track } from '../track.ts';
import { showWarning } from './load-definition.ts';
import type { LoadedDockerfile } from './load-dockerfile.ts';

export interface Planning extends BuildEnvironment {
  readonly loaded: LoadedDockerfile;
  readonly contexts: Contexts;
}

export interface PlanRequestOptions extends Pick<PlanOptions, 'allStages' | 'onWarning'> {
  /** Receives the steps of all platforms. */
  readonly graph: GraphBuilder;
}

/**
 * Plans a build and shows the warnings about its Dockerfile, even if planning fails.
 * @throws TbuildError as planning does; DOCKERFILE_SEMANTICS if the file turns warnings into errors.
 */
export async function planToBuild(planning: Planning, graph: GraphBuilder): Promise<Plan[]> {
  const found: LintWarning[] = [];
  try {
    const plans = await planRequest(planning, { graph, onWarning: (warning) => found.push(warning) });
    refuseViolations(plans, planning);
    return plans;
  } finally {
    for (const warning of uniqueWarnings(found)) showWarning(warning, planning);
  }
}

/**
 * Plans the request for each platform.
 * @throws TbuildError as planning does.
 */
export function planRequest(planning: Planning, options: PlanRequestOptions): Promise<Plan[]> {
  return Promise.all(planning.request.platforms.map((platform) => makePlan(platform, planning, options)));
}

/** Returns the warnings of all plans without duplicates. */
export function warningsOf(plans: readonly Plan[]): readonly LintWarning[] {
  return uniqueWarnings(plans.flatMap(({ warnings }) => warnings));
}

/** Removes the duplicates that several platforms give, and sorts by position in the file. */
export function uniqueWarnings(warnings: readonly LintWarning[]): readonly LintWarning[] {
  const key = ({ message, location }: LintWarning): string => `${location.start.line} ${message}`;
  const unique = new Map(warnings.map((warning) => [key(warning), warning] as const));
  return [...unique.values()].toSorted((a, b) => a.location.start.line - b.location.start.line);
}

/**
 * Fails in BuildKit's words if the file turns warnings into errors.
 * @throws TbuildError DOCKERFILE_SEMANTICS
 */
export function refuseViolations(plans: readonly Plan[], { loaded }: Planning): void {
  const rules = [...new Set(plans.flatMap(({ violations }) => violations))];
  if (rules.length === 0) return;
  throw new TbuildError('DOCKERFILE_SEMANTICS', `lint violation found for rules: ${rules.join(', ')}`, {
    location: loaded.dockerfile.directives.check?.location,
    hint: `Run tbuild explain ${rules[0]} to read about the rule`,
  });
}

async function makePlan(platform: Platform, planning: Planning, options: PlanRequestOptions): Promise<Plan> {
  const { request, services, signal, loaded, contexts } = planning;
  const hasFiles = request.context.kind === 'directory';
  return planBuild(loaded.dockerfile, {
    ...options,
    target: request.target,
    platform,
    buildPlatform: services.platform,
    buildArgs: request.buildArgs,
    labels: request.labels,
    noCache: request.noCache,
    contexts: namedContexts(request),
    // How the default network is implemented is not part of a plan.
    network: request.network === 'pasta' ? 'default' : request.network,
    implicitPlatform: request.implicitPlatform,
    showPlatform: request.platforms.length > 1,
    resolveImage: resolveImages(planning),
    isIgnored: (path) => hasFiles && contexts.open(MAIN_CONTEXT).isIgnored(path),
    signal,
  });
}

/** Returns a resolver that shows the images of a plan as it resolves them. */
export function resolveImages(planning: Planning): ResolveImage {
  return createResolveImage(planning.services, {
    pull: planning.request.pull,
    track: (reference, work) => track(planning, `[internal] load metadata for ${reference}`, work),
  });
}

/** Translates the named contexts of a request for the frontend. */
export function namedContexts({ namedContexts: specs }: BuildRequest): Record<string, NamedContext> {
  const entries = Object.entries(specs).map(([name, spec]): [string, NamedContext] => [name, namedContext(name, spec)]);
  return Object.fromEntries(entries);
}

function namedContext(name: string, spec: ContextSpec): NamedContext {
  if (spec.kind === 'image' || spec.kind === 'layout') return spec;
  if (spec.kind === 'git' || spec.kind === 'http') return remoteContext(name, spec);
  return { kind: 'files', context: name };
}
