import type { PlannedScan } from '@tbuild/attest';
import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import type { ExportedImage, ImageDigests } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import { GraphBuilder, type Graph, type Step } from '@tbuild/graph';
import { createLayerPreparation, createStepResults } from '@tbuild/layers';
import { canonicalJson, type Descriptor, type Digest, type Platform } from '@tbuild/oci';
import { solve } from '@tbuild/solver';
import { afterRemovals, isOfThisBoot } from '@tbuild/store';
import { assembleImage, resultOf, type Assembly } from './assemble/assemble-image.ts';
import { attestImages, planScans, scanSteps } from './assemble/attested.ts';
import type { BuildEnvironment, BuildRun } from './build-run.ts';
import { fetchContext } from './session/fetch-context.ts';
import { requireEntitlements } from './plan/entitlements.ts';
import { layeredSteps, topmostSteps } from './plan/layered-steps.ts';
import { loadDefinition } from './plan/load-definition.ts';
import type { OpEnvironment } from './ops/op-environment.ts';
import { resolveOp } from './ops/resolve-op.ts';
import { openContexts, planToBuild, warningsOf, type Planning } from './plan/plan-request.ts';
import { credentialsWarnings } from './session/credentials-warning.ts';
import { createExplanations } from './solve/explanations.ts';
import { createImportedSteps, importMount, type ImportedSteps } from './cache-transfer/imported-steps.ts';
import { openOutputs, runExports, type OpenOutput } from './export/run-exports.ts';
import type { BuildRequest } from './request.ts';
import { createResultCache } from './solve/result-cache.ts';
import type { Worker } from './worker.ts';

/** What a build made. */
export interface BuildResult {
  /** One a platform. */
  readonly images: readonly ({ readonly platform: Platform } & ImageDigests)[];
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

/**
 * Builds: Dockerfile → plan → solved steps → images → outputs. This is the whole way, in order.
 * @throws TbuildError for whatever a user can provoke; finished steps stay in the cache all the same.
 */
export async function runBuild(request: BuildRequest, worker: Worker, run: BuildRun): Promise<BuildResult> {
  const startedAt = worker.now();
  await afterRemovals(worker.store, { now: () => worker.now(), signal: run.signal });
  if (!isOfThisBoot(worker.store)) await dropUnsynced(worker, run);
  const outputs = await openOutputs(request, worker);
  await using local = await fetchContext(request, worker, run);
  const env: BuildEnvironment = { ...run, request: local.request, worker, now: () => worker.now() };
  const loaded = await loadDefinition(env);
  const contexts = openContexts(loaded, env);
  const imported = createImportedSteps(worker);
  const importing = importInto(imported, env);
  const graphBuilder = new GraphBuilder();
  const plans = await planToBuild({ ...env, loaded, contexts }, graphBuilder);
  for (const warning of credentialsWarnings(plans)) env.progress.emit(warning);
  const scans = await planScans(plans, graphBuilder, { ...env, loaded, contexts });
  const graph = graphBuilder.build([...plans.flatMap(({ target }) => target ?? []), ...scans.flatMap(scanSteps)]);
  requireEntitlements(graph, request);
  await importing;
  const planning = { ...env, loaded, contexts, imported, outputs };
  // The context that was unpacked for this build stays until its end.
  return await solveGraph(graph, plans, planning, (assembly) =>
    carryOut(assembly, plans, { ...planning, scans, startedAt }),
  );
}

/** Loads it only for the first build of a boot. */
async function dropUnsynced(worker: Worker, { progress, signal }: BuildRun): Promise<void> {
  const count = await (await import('@tbuild/gc')).dropUnsynced(worker, signal);
  if (count === 0) return;
  const message = `The machine stopped before everything in the store was safely on disk: what was made last (trees: ${count}) is made again when it is needed`;
  progress.emit({ type: 'warning', message });
}

interface CarryingOut extends Planning {
  readonly imported: ImportedSteps;
  readonly outputs: readonly OpenOutput[];
  readonly scans: readonly PlannedScan[];
  readonly startedAt: number;
}

/** Makes images of what was solved, and brings them where they are wanted. */
async function carryOut(assembly: Assembly, plans: readonly Plan[], env: CarryingOut): Promise<BuildResult> {
  const { request, loaded, startedAt, scans, progress, signal } = env;
  const { layers } = env.imported;
  const { epoch, prepared } = assembly;
  const built = await Promise.all(plans.map((plan) => exportedImage(plan, assembly, request)));
  const images = await attestImages(built, assembly, { request, loaded, startedAt, scans, progress, signal });
  const { digests, ...exported } = await runExports(images, assembly.graph, { ...env, layers, epoch, prepared });
  await exportFrom(assembly, plans, { ...env, layers });
  return {
    images: images.flatMap(({ image }, at) =>
      digests[at] === undefined ? [] : [{ platform: image.platform, ...digests[at] }],
    ),
    ...exported,
    warnings: warningsOf(plans),
  };
}

/** Loads what reads caches only for a build that does. */
async function importInto(imported: ImportedSteps, env: BuildEnvironment): Promise<void> {
  if (env.request.cacheFrom.length > 0)
    await (await import('./cache-transfer/import-caches.ts')).importCaches(imported, env);
}

async function exportFrom(
  assembly: Assembly,
  plans: readonly Plan[],
  env: BuildEnvironment & Pick<ImportedSteps, 'layers'>,
): Promise<void> {
  if (env.request.cacheTo.length > 0)
    await (await import('./cache-transfer/export-caches.ts')).exportCaches(assembly, plans, env);
}

async function solveGraph<T>(
  graph: Graph,
  plans: readonly Plan[],
  env: Planning & Pick<CarryingOut, 'imported' | 'outputs'>,
  use: (assembly: Assembly) => Promise<T>,
): Promise<T> {
  const { request, worker, progress, signal, loaded, contexts, imported, outputs } = env;
  const epoch = parseEpoch(request.buildArgs.SOURCE_DATE_EPOCH);
  // When a step has failed, layers that are still being packed are for nobody.
  const end = new AbortController();
  const ending = { signal: AbortSignal.any([signal, end.signal]) };
  const results = createStepResults(worker, { remote: imported.layers, progress, now: env.now, ...ending });
  const exporters = outputs.flatMap((output) => output.exporters);
  const preparation = createLayerPreparation(exporters, { epoch, ...ending });
  const explanations = createExplanations({
    store: worker.store,
    scope: explanationScope(request),
    graph,
    carried: () => imported.notes(signal),
  });
  const cache = createResultCache({
    cache: worker.cache,
    results,
    explanations,
    findImported: imported.find,
    now: env.now,
  });
  const layered = layeredSteps(plans);
  const ops: OpEnvironment = {
    worker,
    results,
    contexts,
    progress,
    cacheFrom: request.cacheFrom,
    extraHosts: request.extraHosts,
    network: request.network,
    ssh: request.ssh,
    shmSize: request.shmSize,
    ulimits: request.ulimits,
    resources: request.resources,
    cgroupParent: request.cgroupParent,
    importMount: (key, directory) => importMount(key, directory, imported, env),
    proxyEnv: plans[0]?.proxyEnv ?? [],
    readSecret: (id) => env.readSecret?.(id),
    discardedCaches: new Set(),
    epoch,
    dockerfileTime: epoch ?? loaded.changedAt ?? env.now(),
    layered,
    topmost: topmostSteps(layered, graph, request),
    preparation,
  };
  const options = {
    opFor: (step: Step) => resolveOp(step, ops),
    cache,
    progress,
    now: env.now,
    jobs: request.jobs,
    needed: layered,
    signal,
  };
  try {
    return await solve(graph, options, (solved) => {
      contexts.save();
      return use({
        graph,
        solved,
        results,
        explanations,
        worker,
        createdAt: cache.createdAt,
        recordOf: cache.recordOf,
        epoch,
        prepared: preparation.settled(),
      });
    });
  } finally {
    contexts.save();
    end.abort();
    await preparation.settled();
  }
}

/** The same Dockerfile on the same context is the same build, changed or not. */
function explanationScope({ context, dockerfile }: BuildRequest): string {
  return canonicalJson({ context, dockerfile: dockerfile.kind === 'inline' ? dockerfile.name : dockerfile });
}

function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  throw new TbuildError('USAGE', `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is not a number of seconds since 1970`);
}

async function exportedImage(plan: Plan, assembly: Assembly, { cacheTo }: BuildRequest): Promise<ExportedImage> {
  const { target } = plan;
  const image = await assembleImage(plan, assembly);
  const isInline = cacheTo.some(({ type }) => type === 'inline');
  return {
    image: isInline
      ? await (await import('./cache-transfer/export-caches.ts')).withInlineCache(image, plan, assembly)
      : image,
    baseLayers: plan.base?.diffIds.length,
    async openRootfs() {
      if (target === undefined) return [];
      return (await assembly.results.snapshot(resultOf(target, assembly))).directories;
    },
  };
}
