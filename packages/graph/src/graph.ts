import type { SourceRange } from '@tbuild/errors';
import { canonicalJson, digestOf, type Digest } from '@tbuild/oci';
import type { StepOp } from './step-op.ts';

/** The digest of a step's op and inputs: identical steps are one step. */
export type StepId = Digest;

/** One node: it stands on at most one base and may read from sources. */
export interface Step {
  readonly id: StepId;
  readonly op: StepOp;
  readonly base?: StepId;
  /** What `FileSource {kind: 'step', source}` counts into. */
  readonly sources: readonly StepId[];
  /** What the user reads, e.g. `[build 2/4] RUN make`. */
  readonly name: string;
  /** Run even when the cache has a record, and replace the record. */
  readonly noCache: boolean;
  readonly location?: SourceRange;
}

/** Steps by id; insertion order is topological, inputs first. */
export interface Graph {
  readonly steps: ReadonlyMap<StepId, Step>;
}

/** Collects steps; a step that is there already is not added again. */
export class GraphBuilder {
  readonly #steps = new Map<StepId, Step>();

  /** Adds a step whose inputs were added before, and returns its id. */
  add(step: Omit<Step, 'id'>): StepId {
    for (const input of [step.base, ...step.sources]) {
      if (input !== undefined && !this.#steps.has(input))
        throw new Error(`Step "${step.name}" has an input that is not in the graph`);
    }
    const { op, base, sources } = step;
    const id = digestOf(canonicalJson({ op, base, sources }));
    const known = this.#steps.get(id);
    if (known === undefined) this.#steps.set(id, { ...step, id });
    else if (step.noCache && !known.noCache) this.#steps.set(id, { ...known, noCache: true });
    return id;
  }

  /** The graph of the steps that `targets` need, in topological order. */
  build(targets: readonly StepId[]): Graph {
    const needed = new Set<StepId>();
    const pending = [...targets];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (needed.has(id)) continue;
      needed.add(id);
      const step = this.#steps.get(id);
      if (step === undefined) throw new Error(`Step ${id} is not in the graph`);
      pending.push(...step.sources, ...(step.base === undefined ? [] : [step.base]));
    }
    return { steps: new Map([...this.#steps].filter(([id]) => needed.has(id))) };
  }
}
