import type { StepRecord } from '@tbuild/cache';
import type { ResultId, Step, StepId } from '@tbuild/graph';
import { createLayerPreparation, createStepResults, type LayerPreparation, type StepResults } from '@tbuild/layers';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openSolver, type Solved } from '@tbuild/solver';
import { importMount } from '../cache-transfer/imported-steps.ts';
import { consumersOf } from '../export/output-epoch.ts';
import type { OpEnvironment } from '../ops/op-environment.ts';
import { resolveOp } from '../ops/resolve-op.ts';
import { imageStepsOf, leafStepsOf } from '../plan/image-steps.ts';
import type { BuildPlan } from '../plan/plan-build.ts';
import type { BuildRequest } from '../request.ts';
import type { Contexts } from '../session/contexts.ts';
import type { Session } from '../session/open-session.ts';
import { createExplanations, type Explanations } from './explanations.ts';
import { createResultCache } from './result-cache.ts';

/** A plan being solved. Disposing aborts layers that are still being packed. */
export interface Solving extends AsyncDisposable {
  /**
   * Solves every step, from the cache or by running it.
   * @throws the first failure of a step.
   */
  solve(): Promise<SolvedPlan>;
  /** Decides whether an error reports a missing cached result. Then the next `solve` runs its step. */
  recover(error: unknown): boolean;
}

/** The results of a plan's steps. */
export interface SolvedPlan {
  readonly solved: ReadonlyMap<StepId, Solved<ResultId>>;
  readonly results: StepResults;
  readonly explanations: Pick<Explanations, 'notesOf'>;
  /** Returns the record that a solved step came from. */
  recordOf(key: Digest): StepRecord | undefined;
  /** Returns when the step that made a result ran, in milliseconds since the epoch. */
  createdAt(result: ResultId): number;
  /** Fulfilled when the outputs have prepared what they could. */
  readonly prepared: Promise<void>;
}

/** Starts to solve the steps of a plan. */
export function openSolving(plan: BuildPlan, session: Session): Solving {
  const { graph, plans } = plan;
  const { request, services, progress, now, signal, contexts, imported, outputs, epoch } = session;
  const end = new AbortController();
  const ending = { signal: AbortSignal.any([signal, end.signal]) };
  const results = createStepResults(services, { remote: imported.layers, progress, now, ...ending });
  const preparation = createLayerPreparation(
    outputs.flatMap((output) => consumersOf(output, epoch)),
    ending,
  );
  const explanations = createExplanations({
    store: services.store,
    scope: explanationScope(request),
    graph,
    carried: () => imported.notes(signal),
  });
  const cache = createResultCache({ cache: services.cache, results, explanations, findImported: imported.find, now });
  const ops = opEnvironment(plan, session, { results, preparation });
  const solver = openSolver(graph, {
    opFor: (step: Step) => resolveOp(step, ops),
    cache,
    progress,
    now,
    jobs: request.jobs,
    needed: imageStepsOf(plans),
    signal,
  });
  return {
    async solve() {
      const solved = await solver.solve();
      contexts.save();
      const { createdAt, recordOf } = cache;
      return { solved, results, explanations, createdAt, recordOf, prepared: preparation.settled() };
    },
    recover: (error) => solver.recover(error),
    async [Symbol.asyncDispose]() {
      end.abort();
      await preparation.settled();
      saveDigests(contexts);
    },
  };
}

/** Saves the digests, which are useful after a failed build too. An error here must not hide that of the build. */
function saveDigests(contexts: Contexts): void {
  try {
    contexts.save();
  } catch {
    // The next build reads the files again.
  }
}

function opEnvironment(
  { plans, graph }: BuildPlan,
  session: Session,
  made: { readonly results: StepResults; readonly preparation: LayerPreparation },
): OpEnvironment {
  const { request, services, progress, contexts, sources, imported, loaded, epoch, now } = session;
  const imageSteps = imageStepsOf(plans);
  return {
    ...made,
    services,
    contexts,
    sources,
    progress,
    cacheFrom: request.cacheFrom,
    extraHosts: request.extraHosts,
    network: request.network,
    ssh: request.ssh,
    shmSize: request.shmSize,
    ulimits: request.ulimits,
    resources: request.resources,
    cgroupParent: request.cgroupParent,
    importMount: (key, directory) => importMount(key, directory, imported, session),
    proxyEnv: plans[0]?.proxyEnv ?? [],
    readSecret: (id) => session.readSecret?.(id),
    discardedCaches: new Set(),
    epoch,
    dockerfileTime: epoch ?? loaded.changedAt ?? now(),
    imageSteps,
    leafSteps: leafStepsOf(imageSteps, graph, request),
  };
}

/** Returns the scope of a build: the same Dockerfile on the same context, whatever their content. */
function explanationScope({ context, dockerfile }: BuildRequest): string {
  return canonicalJson({ context, dockerfile: dockerfile.kind === 'inline' ? dockerfile.name : dockerfile });
}
