import type { SourceRange } from '@tbuild/errors';
import { canonicalJson, digestOf } from '@tbuild/oci';
import { type StepId, stepId } from './ids.ts';
import type { StepOp } from './step-op.ts';

/** One node: it has at most one base and may read from sources. */
export interface Step {
  readonly id: StepId;
  readonly op: StepOp;
  readonly base?: StepId;
  /** `FileSource {kind: 'step', source}` is an index into this list. */
  readonly sources: readonly StepId[];
  /** The name that users read, e.g. `[build 2/4] RUN make`. */
  readonly name: string;
  /** Runs the step even if the cache has a record, and replaces the record. */
  readonly noCache: boolean;
  readonly location?: SourceRange;
}

/** Steps by id. The insertion order is topological, inputs first. */
export interface Graph {
  readonly steps: ReadonlyMap<StepId, Step>;
}

/** Collects steps. Identical steps are added once. */
export class GraphBuilder {
  readonly #steps = new Map<StepId, Step>();

  /** Adds a step and returns its id. Its inputs must be added before. */
  add(step: Omit<Step, 'id'>): StepId {
    for (const input of [step.base, ...step.sources]) {
      if (input !== undefined && !this.#steps.has(input))
        throw new Error(`Step "${step.name}" has an input that is not in the graph`);
    }
    const { op, base, sources } = step;
    const id = stepId(digestOf(canonicalJson({ op, base, sources })));
    const known = this.#steps.get(id);
    if (known === undefined) this.#steps.set(id, { ...step, id });
    else if (step.noCache && !known.noCache) this.#steps.set(id, { ...known, noCache: true });
    return id;
  }

  /** Returns the graph of the steps that `targets` need, in topological order. */
  build(targets: readonly StepId[]): Graph {
    return graphOf({ steps: this.#steps }, targets);
  }
}

/** Returns the part of a graph that `targets` need. */
export function graphOf({ steps }: Graph, targets: readonly StepId[]): Graph {
  const needed = new Set<StepId>();
  const pending = [...targets];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (needed.has(id)) continue;
    needed.add(id);
    const step = steps.get(id);
    if (step === undefined) throw new Error(`Step ${id} is not in the graph`);
    pending.push(...step.sources, ...(step.base === undefined ? [] : [step.base]));
  }
  return { steps: new Map([...steps].filter(([id]) => needed.has(id))) };
}
