import type { Graph, Step, StepId } from '@tbuild/graph';
import type { Inputs, Solved } from './op.ts';

/** The steps of a graph while they are solved. */
export interface Solving<R> {
  /** Solves these steps and all their dependents again. Their earlier results no longer count. */
  startAgain(steps: ReadonlySet<StepId>): void;
  /** Waits until these steps, or all, have ended. @throws the first failure in time, of any step. */
  settle(steps?: Iterable<StepId>): Promise<ReadonlyMap<StepId, Solved<R>>>;
}

/**
 * Starts each step as soon as its inputs are solved. `solveStep` may ask whether its attempt still counts. `onFailure` is
 * called with the first failure at once.
 */
export function createSolving<R>(
  graph: Graph,
  solveStep: (step: Step, inputs: Inputs<R>, isCurrent: () => boolean) => Promise<Solved<R>>,
  onFailure: (error: unknown) => void,
): Solving<R> {
  const current = new Map<StepId, Promise<Solved<R>>>();
  let failure: { readonly error: unknown } | undefined;
  const start = (step: Step): void => {
    // A step is never solved twice at the same time.
    const before = current.get(step.id)?.catch(() => {});
    const isCurrent = (): boolean => current.get(step.id) === solved;
    const solved: Promise<Solved<R>> = Promise.all([gatherInputs(step, current), before]).then(([inputs]) =>
      solveStep(step, inputs, isCurrent),
    );
    current.set(step.id, solved);
    solved.catch((error: unknown) => {
      if (failure !== undefined || !isCurrent()) return;
      failure = { error };
      onFailure(error);
    });
  };
  for (const step of graph.steps.values()) start(step);
  return {
    startAgain(steps) {
      const again = new Set(steps);
      for (const step of graph.steps.values()) {
        if (!again.has(step.id) && !inputsOf(step).some((id) => again.has(id))) continue;
        again.add(step.id);
        start(step);
      }
    },
    async settle(steps = graph.steps.keys()) {
      const ids = [...steps];
      const attempts = (): readonly Promise<Solved<R>>[] => ids.map((id) => required(current.get(id)));
      let waited: readonly unknown[];
      do {
        waited = attempts();
        await Promise.allSettled(waited);
      } while (attempts().some((attempt, at) => attempt !== waited[at]));
      if (failure !== undefined) throw failure.error;
      const solved = await Promise.all(attempts());
      return new Map(ids.map((id, at) => [id, required(solved[at])]));
    },
  };
}

/** Returns the base and the sources of a step. */
export function inputsOf({ base, sources }: Step): readonly StepId[] {
  return base === undefined ? sources : [base, ...sources];
}

async function gatherInputs<R>(step: Step, solving: ReadonlyMap<StepId, Promise<Solved<R>>>): Promise<Inputs<R>> {
  const [base, ...sources] = await Promise.all([
    step.base === undefined ? undefined : solving.get(step.base),
    ...step.sources.map((source) => required(solving.get(source))),
  ]);
  return { base, sources: sources.map(required) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A step is missing in the graph, or precedes its inputs');
  return value;
}
