import { join } from 'node:path';
import type { ResultId } from '@tbuild/cache';
import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import type { ExportedImage } from '@tbuild/exporter';
import { planBuild, type NamedContext, type Plan } from '@tbuild/frontend';
import { GraphBuilder, type Graph, type StepId } from '@tbuild/graph';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import { solve, type Solved } from '@tbuild/solver';
import { assembleImage, resultOf, type Assembly } from './assemble-image.ts';
import { createContexts, MAIN_CONTEXT, type Contexts } from './contexts.ts';
import { loadDockerfile, type LoadedDockerfile } from './load-dockerfile.ts';
import { createLocks } from './ops/locks.ts';
import type { OpEnvironment } from './ops/op-environment.ts';
import { resolveOp } from './ops/resolve-op.ts';
import { runExports } from './run-exports.ts';
import type { BuildRequest, ContextSpec } from './request.ts';
import { createResolveImage } from './resolve-image.ts';
import { createResultCache } from './result-cache.ts';
import { createStepResults } from './step-results.ts';
import { track } from './track.ts';
import type { Worker } from './worker.ts';

export interface BuildRun {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Values of `--secret` by id, read when a step asks. */
  readSecret?(id: string): Buffer | undefined;
}

/** What a build made. */
export interface BuildResult {
  /** One a platform. */
  readonly images: readonly { readonly platform: Platform; readonly config: Digest }[];
  /** Config digest of one image, or digest of the index of several. */
  readonly id: Digest;
  /** The manifest or index that was pushed, or else the first that an output made. */
  readonly manifest?: Descriptor;
  /** Full references that the image was given. */
  readonly names: readonly string[];
  /** Where it went, one for each output, for people. */
  readonly destinations: readonly string[];
  readonly warnings: readonly LintWarning[];
}

interface Environment extends BuildRun {
  readonly request: BuildRequest;
  readonly worker: Worker;
  now(): number;
}

/**
 * Builds: Dockerfile → plan → solved steps → images → outputs. This is the whole way, in order.
 * @throws TbuildError for whatever a user can provoke; finished steps stay in the cache all the same.
 */
export async function runBuild(request: BuildRequest, worker: Worker, run: BuildRun): Promise<BuildResult> {
  const env: Environment = { ...run, request, worker, now: () => worker.now() };
  const loaded = await track(env, `[internal] load build definition from ${dockerfileName(request)}`, async (report) => {
    const found = loadDockerfile(request);
    report('transferring dockerfile', found.size, found.size);
    return found;
  });
  const graphBuilder = new GraphBuilder();
  const plans = await Promise.all(request.platforms.map((platform) => makePlan(platform, loaded, graphBuilder, env)));
  const graph = graphBuilder.build(plans.flatMap(({ target }) => (target === undefined ? [] : [target])));
  const assembly = await solveGraph(graph, plans, loaded, env);
  const images = await Promise.all(plans.map((plan) => exportedImage(plan, assembly)));
  const warnings = [...loaded.dockerfile.warnings, ...plans[0]?.warnings ?? []];
  const { configs, ...exported } = await runExports(images, graph, { ...env, epoch: assembly.epoch });
  return {
    images: images.flatMap(({ image }, at) => (configs[at] === undefined ? [] : [{ platform: image.platform, config: configs[at] }])),
    ...exported,
    warnings,
  };
}

function dockerfileName({ dockerfile }: BuildRequest): string {
  if (dockerfile.kind === 'inline') return dockerfile.name;
  return dockerfile.path?.split('/').at(-1) ?? 'Dockerfile';
}

async function makePlan(platform: Platform, loaded: LoadedDockerfile, graph: GraphBuilder, env: Environment): Promise<Plan> {
  const { request, worker, signal } = env;
  const resolveImage = createResolveImage(worker, {
    pull: request.pull,
    track: (reference, work) => track(env, `[internal] load metadata for ${reference}`, work),
  });
  return planBuild(loaded.dockerfile, {
    target: request.target,
    platform,
    buildPlatform: worker.platform,
    buildArgs: request.buildArgs,
    labels: request.labels,
    noCache: request.noCache,
    contexts: namedContexts(request.namedContexts),
    network: request.network,
    implicitPlatform: request.implicitPlatform,
    showPlatform: request.platforms.length > 1,
    resolveImage,
    graph,
    signal,
  });
}

function namedContexts(specs: Readonly<Record<string, ContextSpec>>): Record<string, NamedContext> {
  const entries = Object.entries(specs).map(([name, spec]): [string, NamedContext] => [name, namedContext(name, spec)]);
  return Object.fromEntries(entries);
}

function namedContext(name: string, spec: ContextSpec): NamedContext {
  if (spec.kind === 'image' || spec.kind === 'layout') return spec;
  return { kind: 'files', context: name };
}

async function solveGraph(graph: Graph, plans: readonly Plan[], loaded: LoadedDockerfile, env: Environment): Promise<Assembly> {
  const { request, worker, progress, signal } = env;
  const epoch = parseEpoch(request.buildArgs.SOURCE_DATE_EPOCH);
  const results = createStepResults(worker);
  const contexts = openContexts(loaded, env);
  const cache = createResultCache(worker.cache, results, env.now);
  const ops: OpEnvironment = {
    worker,
    results,
    contexts,
    progress,
    extraHosts: request.extraHosts,
    proxyEnv: plans[0]?.proxyEnv ?? [],
    readSecret: (id) => env.readSecret?.(id),
    cacheLocks: createLocks(),
    epoch,
    dockerfileTime: epoch ?? loaded.changedAt ?? env.now(),
    layered: new Set(plans.flatMap(({ history }) => history.flatMap(({ step }) => (step === undefined ? [] : [step])))),
  };
  let solved: ReadonlyMap<StepId, Solved<ResultId>>;
  try {
    solved = await solve(graph, { opFor: (step) => resolveOp(step, ops), cache, progress, now: env.now, jobs: request.jobs, signal });
  } finally {
    contexts.save();
  }
  return { graph, solved, results, worker, createdAt: cache.createdAt, epoch };
}

function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  throw new TbuildError('USAGE', `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is not a number of seconds since 1970`);
}

function openContexts(loaded: LoadedDockerfile, env: Environment): Contexts {
  const { request, worker, progress, now } = env;
  return createContexts({
    specs: { ...request.namedContexts, [MAIN_CONTEXT]: request.context },
    dockerfile: loaded.inContext,
    indexDirectory: join(worker.root, 'context-index'),
    onRead(name, bytes) {
      const title = name === MAIN_CONTEXT ? '[internal] load build context' : `[context ${name}] load from client`;
      void track({ progress, now }, title, async (report) => report('transferring context', bytes, bytes));
    },
  });
}

async function exportedImage(plan: Plan, assembly: Assembly): Promise<ExportedImage> {
  const { target } = plan;
  return {
    image: await assembleImage(plan, assembly),
    baseLayers: plan.base?.diffIds.length,
    async openRootfs() {
      if (target === undefined) return [];
      return (await assembly.results.snapshot(resultOf(target, assembly))).directories;
    },
  };
}
