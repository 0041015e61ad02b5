import type { Graph, Step, StepId } from '@tbuild/graph';
import type { Loaded, ResultCache } from './op.ts';
import { inputsOf } from './solving.ts';

/** Tracks the cached results that are needed but missing, so that their steps have to run again. */
export interface MissingResults<R> {
  /** Returns the cached result of a step, or undefined if the result does not suffice and the step has to run. */
  accept(step: Step, loaded: Loaded<R> | undefined): R | undefined;
  /** Returns the steps that have to run before a step can run. */
  missingFor(step: Step): ReadonlySet<StepId>;
  /** Returns the steps that have to run again because of an error; none if the error reports no missing result. */
  behind(error: unknown): ReadonlySet<StepId>;
}

/** Creates the tracker. The results of `needed` steps must exist in any case. */
export function createMissingResults<R>(
  graph: Graph,
  cache: ResultCache<R>,
  needed: Iterable<StepId> = [],
): MissingResults<R> {
  const whole = new Set(needed);
  const cached = new Map<StepId, Loaded<R>>();
  const lost = new Map<StepId, R>();
  const isRemembered = (id: StepId): boolean => cached.get(id)?.isWhole === false;
  /** Running a step again takes the results that it is made from. */
  const withMissing = (ids: Iterable<StepId>): ReadonlySet<StepId> => {
    const found = new Set(ids);
    for (const id of found) {
      whole.add(id);
      const step = graph.steps.get(id);
      for (const input of step === undefined ? [] : inputsOf(step)) if (isRemembered(input)) found.add(input);
    }
    return found;
  };
  return {
    accept({ id }, loaded) {
      const accepted = loaded?.isWhole === false && whole.has(id) ? undefined : loaded;
      if (accepted === undefined) cached.delete(id);
      else cached.set(id, accepted);
      return accepted?.result;
    },
    missingFor: (step) => withMissing(inputsOf(step).filter(isRemembered)),
    behind(error) {
      const results = cache.resultsLostBy?.(error) ?? [];
      // A result that is missing for the second time is a failure: another run would not restore it.
      const gone = [...cached].filter(([id, { result }]) => results.includes(result) && lost.get(id) !== result);
      for (const [id, { result }] of gone) lost.set(id, result);
      return withMissing(gone.map(([id]) => id));
    },
  };
}
