import type { StepRecord } from '@tbuild/cache';
import type { ResultId, Step, StepId } from '@tbuild/graph';
import { createLayerPreparation, createStepResults, type LayerPreparation, type StepResults } from '@tbuild/layers';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openSolver, type Solved } from '@tbuild/solver';
import type { Underway } from '../build-run.ts';
import { importMount } from '../cache-transfer/imported-steps.ts';
import { consumersOf } from '../export/output-epoch.ts';
import { type OpPorts, resolveOp } from '../ops/resolve-op.ts';
import { createEmulators } from '../ops/run/require-platform.ts';
import { imageStepsOf, leafStepsOf } from '../plan/image-steps.ts';
import type { BuildPlan } from '../plan/plan-build.ts';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
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
  readonly steps: ReadonlyMap<StepId, Solved<ResultId>>;
  readonly results: StepResults;
  readonly explanations: Pick<Explanations, 'notesOf'>;
  /** Returns the record that a solved step came from. */
  recordOf(key: Digest): StepRecord | undefined;
  /** Returns when the step that made a result ran, in milliseconds since the epoch. */
  createdAt(result: ResultId): number;
  /** Fulfilled when the outputs have prepared what they could. */
  readonly prepared: Promise<void>;
}

/** A plan, and what an open session has for its steps. */
export interface PlanToSolve extends Pick<Session, 'inputs' | 'outputs' | 'imported' | 'readSecret'> {
  readonly plan: BuildPlan;
}

/** What solving uses: the cache, the stores of results, and what the ops use. */
export type SolvePorts = Pick<
  Services,
  | 'store'
  | 'content'
  | 'snapshots'
  | 'flavour'
  | 'differ'
  | 'cache'
  | 'layerSubprocess'
  | 'openRepository'
  | 'openWeb'
  | 'runProgram'
  | 'executor'
  | 'resolvConf'
  | 'platform'
  | 'searchPath'
>;

/** Starts to solve the steps of a plan. */
export function openSolving(build: PlanToSolve, ports: SolvePorts, { progress, now, signal }: Underway): Solving {
  const { plan, inputs, outputs, imported } = build;
  const { graph, plans } = plan;
  const { request, contexts, epoch } = inputs;
  const end = new AbortController();
  const ending = { signal: AbortSignal.any([signal, end.signal]) };
  const results = createStepResults(ports, { remote: imported.layers, progress, now, ...ending });
  const preparation = createLayerPreparation(
    outputs.flatMap((output) => consumersOf(output, epoch)),
    ending,
  );
  const explanations = createExplanations({
    store: ports.store,
    scope: explanationScope(request),
    graph,
    carried: () => imported.notes(signal),
  });
  const cache = createResultCache({ cache: ports.cache, results, explanations, findImported: imported.find, now });
  const ops = opPorts(build, ports, { results, preparation, progress, now, signal });
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
      const steps = await solver.solve();
      contexts.save();
      const { createdAt, recordOf } = cache;
      return { steps, results, explanations, createdAt, recordOf, prepared: preparation.settled() };
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

/** What the ops of this build share. */
interface Shared extends Underway {
  readonly results: StepResults;
  readonly preparation: LayerPreparation;
}

/** Collects the ports of the ops. */
function opPorts(
  { plan: { plans, graph }, inputs, imported, readSecret }: PlanToSolve,
  ports: SolvePorts,
  { signal, ...shared }: Shared,
): OpPorts {
  const { request, contexts, sources, loaded, epoch } = inputs;
  const { extraHosts, network, shmSize, ulimits, resources, cgroupParent } = request;
  const { progress, now } = shared;
  const { differ } = ports;
  const imageSteps = imageStepsOf(plans);
  return {
    ...ports,
    ...shared,
    contexts,
    sources,
    readSecret,
    importsCaches: request.cacheFrom.length > 0,
    settings: { extraHosts, network, shmSize, ulimits, resources, cgroupParent, proxyEnv: plans[0]?.proxyEnv ?? [] },
    ssh: request.ssh,
    emulators: createEmulators(ports),
    discardedCaches: new Set(),
    importMount: (name, directory) => importMount({ name, directory }, imported, { differ, progress, signal }),
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
