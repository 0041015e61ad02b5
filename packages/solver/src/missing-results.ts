import type { Graph, Step, StepId } from '@tbuild/graph';
import type { Loaded, ResultCache } from './op.ts';
import { inputsOf } from './solving.ts';

/** Which cached results have to be made again, since something needs them and they are not there. */
export interface MissingResults<R> {
  /** Takes down what the cache has for a step; undefined when that will not do, and the step has to run. */
  accept(step: Step, loaded: Loaded<R> | undefined): R | undefined;
  /** The steps that have to run before a step can. */
  missingFor(step: Step): ReadonlySet<StepId>;
  /** The steps that have to run again when this is the error; none when it says of no cached result that it is gone. */
  behind(error: unknown): ReadonlySet<StepId>;
}

/** `needed` are the steps whose results must be there in any case. */
export function createMissingResults<R>(
  graph: Graph,
  cache: ResultCache<R>,
  needed: Iterable<StepId> = [],
): MissingResults<R> {
  const whole = new Set(needed);
  const cached = new Map<StepId, Loaded<R>>();
  const lost = new Map<StepId, R>();
  const isRemembered = (id: StepId): boolean => cached.get(id)?.isWhole === false;
  /** To run a step again takes what it is made from. */
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
      // A result that is gone for the second time is no loss that running again makes good.
      const gone = [...cached].filter(([id, { result }]) => results.includes(result) && lost.get(id) !== result);
      for (const [id, { result }] of gone) lost.set(id, result);
      return withMissing(gone.map(([id]) => id));
    },
  };
}
