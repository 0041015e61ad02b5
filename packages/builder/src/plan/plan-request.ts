import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { planBuild, type NamedContext, type Plan, type PlanOptions, type ResolveImage } from '@tbuild/frontend';
import { GraphBuilder, type GraphTarget } from '@tbuild/graph';
import type { Platform } from '@tbuild/oci';
import { type AskedTags, createResolveImage, type ImageSources } from '@tbuild/sources';
import type { Underway } from '../build-run.ts';
import type { BuildRequest, ContextSpec } from '../request.ts';
import { MAIN_CONTEXT } from '../session/contexts.ts';
import type { BuildInputs } from '../session/inputs.ts';
import { remoteContext } from '../session/remote-op.ts';
import { checkedImage, checkEngineImage } from '../source-policy/check-source.ts';
import { track } from '../track.ts';
import type { EntitlementPorts } from './entitlements.ts';
import type { LoadedDockerfile } from './load-dockerfile.ts';

/** What planning uses. */
export interface PlanPorts extends ImageSources, EntitlementPorts {
  /** Platform of this machine. */
  readonly platform: Platform;
}

/** The inputs of a plan. */
export type PlanInputs = Pick<BuildInputs, 'request' | 'loaded' | 'contexts'>;

/** How to plan a request. */
export interface Planning extends Pick<
  PlanOptions,
  'graph' | 'buildPlatform' | 'resolveImage' | 'allStages' | 'onWarning' | 'signal'
> {
  /** The plans of the targets that are contexts of this one, by name. */
  readonly linked?: ReadonlyMap<string, readonly Plan[]>;
}

/**
 * Plans the request for each platform.
 * @throws TbuildError as planning does.
 */
export function planRequest(inputs: PlanInputs, planning: Planning): Promise<Plan[]> {
  return Promise.all(inputs.request.platforms.map((platform) => makePlan(platform, inputs, planning)));
}

/** Returns the warnings of all plans without duplicates. */
export function warningsOf(plans: readonly Plan[]): readonly LintWarning[] {
  return inFileOrder(uniqueWarnings(plans.flatMap(({ warnings }) => warnings)));
}

/** Removes the duplicates that several platforms give. */
export function uniqueWarnings(warnings: readonly LintWarning[]): readonly LintWarning[] {
  const key = ({ message, location }: LintWarning): string => `${location.start.line} ${message}`;
  const unique = new Map(warnings.map((warning) => [key(warning), warning] as const));
  return [...unique.values()];
}

/** Sorts warnings by their place in the file. */
export function inFileOrder(warnings: readonly LintWarning[]): readonly LintWarning[] {
  return warnings.toSorted((a, b) => a.location.start.line - b.location.start.line);
}

/**
 * Fails in BuildKit's words if the file turns warnings into errors.
 * @throws TbuildError DOCKERFILE_SEMANTICS
 */
export function refuseViolations(plans: readonly Plan[], { dockerfile }: LoadedDockerfile): void {
  const rules = [...new Set(plans.flatMap(({ violations }) => violations))];
  if (rules.length === 0) return;
  throw new TbuildError('DOCKERFILE_SEMANTICS', `lint violation found for rules: ${rules.join(', ')}`, {
    location: dockerfile.directives.check?.location,
    hint: `Run tbuild explain ${rules[0]} to read about the rule`,
  });
}

async function makePlan(
  platform: Platform,
  { request, loaded, contexts }: PlanInputs,
  planning: Planning,
): Promise<Plan> {
  const hasFiles = request.context.kind === 'directory';
  return planBuild(loaded.dockerfile, {
    ...planning,
    target: request.target,
    platform,
    buildArgs: request.buildArgs,
    labels: request.labels,
    noCache: request.noCache,
    contexts: namedContexts(request, planning.linked),
    // How the default network is implemented is not part of a plan.
    network: request.network === 'pasta' ? 'default' : request.network,
    implicitPlatform: request.implicitPlatform,
    showPlatform: request.platforms.length > 1,
    isIgnored: (path) => hasFiles && contexts.open(MAIN_CONTEXT).isIgnored(path),
  });
}

/** Opens the planning of a request, whose images are shown as they are resolved. */
export function openPlanning(
  { pull, sourcePolicy }: Pick<BuildRequest, 'pull' | 'sourcePolicy'>,
  ports: PlanPorts,
  { target, asked, ...underway }: Underway & { readonly target?: GraphTarget; readonly asked?: AskedTags },
): Planning {
  const resolve = createResolveImage(ports, {
    pull,
    asked,
    warn: (message) => underway.progress.emit({ type: 'warning', message }),
    track: (reference, work) => track(underway, `[internal] load metadata for ${reference}`, work),
  });
  const resolveImage: ResolveImage = async (wanted, signal) => {
    const { source, reference } = wanted;
    if (source.kind === 'engine') checkEngineImage(sourcePolicy, { engine: source.engine, reference });
    if (source.kind !== 'registry') return resolve(wanted, signal);
    return resolve({ ...wanted, reference: checkedImage(sourcePolicy, reference) }, signal);
  };
  return { graph: new GraphBuilder(target), buildPlatform: ports.platform, resolveImage, signal: underway.signal };
}

/** Translates the named contexts of a request for the frontend. */
export function namedContexts(
  { namedContexts: specs }: Pick<BuildRequest, 'namedContexts'>,
  linked?: ReadonlyMap<string, readonly Plan[]>,
): Record<string, NamedContext> {
  const entries = Object.entries(specs).map(([name, spec]): [string, NamedContext] => {
    if (spec.kind === 'target') return [name, { ...spec, plans: linked?.get(spec.name) ?? [] }];
    return [name, namedContext(name, spec)];
  });
  return Object.fromEntries(entries);
}

function namedContext(name: string, spec: ContextSpec): NamedContext {
  if (spec.kind === 'image' || spec.kind === 'layout') return spec;
  if (spec.kind === 'git' || spec.kind === 'http') return remoteContext(name, spec);
  return { kind: 'files', context: name };
}
