import type { StepRecord } from '@tbuild/cache';
import type { ResultId, Step, StepId } from '@tbuild/graph';
import { createLayerPreparation, createLayerVariants, createStepResults, type StepResults } from '@tbuild/layers';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openSolver, type Solved } from '@tbuild/solver';
import type { BuildObserver, FailedTree, PlannedImage } from '../build-observer.ts';
import type { Underway } from '../build-run.ts';
import { cacheConsumers } from '../cache-transfer/cache-consumers.ts';
import { isForFailure } from '../export/export-failed.ts';
import { consumersOf } from '../export/output-epoch.ts';
import { type OpPorts, resolveOp } from '../ops/resolve-op.ts';
import type { KeepPorts } from '../ops/run/keep-failed-tree.ts';
import { createEmulators } from '../ops/run/require-platform.ts';
import type { JointPlan, PlannedTarget } from '../plan/plan-targets.ts';
import type { Contexts } from '../session/contexts.ts';
import type { Session } from '../session/open-session.ts';
import type { TargetSession } from '../session/open-target.ts';
import { anticipateRuns } from './anticipate-runs.ts';
import { createExplanations, type Explanations } from './explanations.ts';
import { opPorts, type SolvePorts } from './op-ports.ts';
import { createResultCache } from './result-cache.ts';
import { type StepRoles, stepRoles } from './step-roles.ts';

/** Plans being solved. Disposing ends steps that still run, and layers that are still being packed. */
export interface Solving extends AsyncDisposable {
  /**
   * Waits until every step of a target is solved, from the cache or by running it.
   * @throws the first failure of any step.
   */
  solve(target: PlannedTarget): Promise<SolvedPlan>;
  /** Decides whether an error reports a missing cached result. Then its step runs, and the next `solve` waits for it. */
  recover(error: unknown): boolean;
  /** Returns the first failed step that left a tree, if somebody wants it. */
  failed(): FailedTree | undefined;
  /** Cancels the steps that have not ended. Layers and trees that exports wait for are still made. */
  abort(): void;
}

/** The results of the steps, for one target. */
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

/** The plans of a build's targets, and what an open session has for their steps. */
export interface PlanToSolve extends JointPlan, Pick<Session, 'imported'> {}

/** Starts to solve the steps of all targets. */
export function openSolving(build: PlanToSolve, ports: SolvePorts, underway: Underway): Solving {
  const { progress, now, signal, observer } = underway;
  const failures = keepFailure(build, observer);
  const { graph, targets, imported } = build;
  observer?.planned(graph, imagesOf(targets));
  const steps = new AbortController();
  const end = new AbortController();
  const ending = AbortSignal.any([signal, end.signal]);
  const results = createStepResults(ports, { remote: imported.layers, progress, now, signal: ending });
  const roles = stepRoles(build);
  const of = openTargets(build, ports, { ...roles, ...underway, observer: failures.observer, results, ending });
  const explain: Explanations['explain'] = (step, key, parts) => of(step.target).explanations.explain(step, key, parts);
  const findImported = imported.find;
  const runs = anticipateRuns(graph, ports);
  const cache = createResultCache({ ...ports, results, explanations: { explain }, findImported, now });
  const solver = openSolver(graph, {
    opFor: (step: Step) => resolveOp(step, of(step.target).ops),
    cache,
    progress,
    now,
    jobs: targets[0]?.session.inputs.request.jobs,
    needed: roles.imageSteps,
    onUncached: runs.onUncached,
    onSolved(step, solved) {
      runs.onSolved(step);
      observer?.solved(step.id, solved);
    },
    signal: AbortSignal.any([ending, steps.signal]),
  });
  return {
    async solve({ session, plan }) {
      const solved = await solver.solve(plan.graph.steps.keys());
      session.inputs.contexts.save();
      const { createdAt, recordOf } = cache;
      const { explanations, settled } = of(session.name);
      return { steps: solved, results, explanations, createdAt, recordOf, prepared: settled() };
    },
    recover: (error) => solver.recover(error),
    failed: failures.first,
    abort: () => steps.abort(),
    async [Symbol.asyncDispose]() {
      end.abort();
      await solver.solve().catch(() => {});
      await results.settled();
      for (const { session } of targets) await of(session.name).settled();
      for (const { session } of targets) saveDigests(session.inputs.contexts);
    },
  };
}

/** Remembers the first failed step, if an observer or an output wants its tree. */
function keepFailure({ targets }: PlanToSolve, observer: BuildObserver | undefined) {
  let failed: FailedTree | undefined;
  const isWanted =
    observer !== undefined || targets.some(({ session }) => session.outputs.some(({ spec }) => isForFailure(spec)));
  return {
    observer: isWanted
      ? {
          failed(one: FailedTree): void {
            failed ??= one;
            observer?.failed(one);
          },
        }
      : undefined,
    first: () => failed,
  };
}

/** Returns what an observer is told of the images that will be made. */
function imagesOf(targets: PlanToSolve['targets']): readonly PlannedImage[] {
  return targets.flatMap(({ session, plan: { plans } }) =>
    session.isLink ? [] : plans.map(({ target: step, config }) => ({ target: session.name, step, config })),
  );
}

/** What the targets share, and what aborts their preparation of layers. */
interface SharedByTargets extends Omit<Underway, 'observer'>, StepRoles, Pick<KeepPorts, 'observer'> {
  readonly results: StepResults;
  readonly ending: AbortSignal;
}

/** Returns a function that returns what solving has for a target. The only target needs no name. */
function openTargets(
  { targets, imported }: PlanToSolve,
  ports: SolvePorts,
  { ending, ...common }: SharedByTargets,
): (name: string | undefined) => TargetSolving {
  const shared = { ...common, imported, emulators: createEmulators(ports), discardedCaches: new Set<string>() };
  const opened = new Map(
    targets.map((target) => {
      const { session, plan } = target;
      const consumers = session.outputs.flatMap((output) => consumersOf(output, session.inputs.epoch));
      const caches = cacheConsumers(session.inputs.request, {
        content: ports.content,
        variants: createLayerVariants(ports.store),
      });
      const preparation = createLayerPreparation([...consumers, ...caches.ofImages], { signal: ending });
      const cachePreparation = createLayerPreparation(caches.ofOthers, { signal: ending });
      const explanations = createExplanations({
        store: ports.store,
        scope: explanationScope(session),
        graph: plan.graph,
        carried: () => imported.notes(common.signal),
      });
      const ops = opPorts(target, ports, { ...shared, preparation, cachePreparation });
      const settled = async (): Promise<void> => {
        await Promise.all([preparation.settled(), cachePreparation.settled()]);
      };
      return [session.name, { explanations, ops, settled }] as const;
    }),
  );
  const [only] = opened.values();
  return (name) => {
    const target = name === undefined ? only : opened.get(name);
    if (target === undefined) throw new Error(`There is no target ${name}`);
    return target;
  };
}

/** What solving has for the steps of one target. */
interface TargetSolving {
  readonly explanations: Explanations;
  /** Waits for the layers that are being prepared. Never rejects. */
  readonly settled: () => Promise<void>;
  readonly ops: OpPorts;
}

/** Saves the digests, which are useful after a failed build too. An error here must not hide that of the build. */
function saveDigests(contexts: Contexts): void {
  try {
    contexts.save();
  } catch {
    // The next build reads the files again.
  }
}

/**
 * Returns the scope of a target: the same Dockerfile on the same context, whatever their content, and of several
 * targets that of the same name.
 */
function explanationScope({ place, inputs: { request } }: TargetSession): string {
  const { context, dockerfile } = request;
  const file = dockerfile.kind === 'inline' ? dockerfile.name : dockerfile;
  return canonicalJson({ context, dockerfile: file, target: place?.name });
}
