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
  /** The target that the step belongs to, in a graph for several targets: the first of those that share it. */
  readonly target?: string;
  /** What to tell about sources that are missing, by their path. */
  readonly advice?: Readonly<Record<string, SourceAdvice>>;
}

export interface SourceAdvice {
  readonly hint: string;
  /** Only where nothing better is known. */
  readonly fallback?: true;
}

/** A target of a graph for several. */
export interface GraphTarget {
  readonly name: string;
  /**
   * Stands for everything outside the graph that the target's own steps read or depend on: its contexts and the
   * settings of its RUN steps. Only targets with the same scope share such steps.
   */
  readonly scope: string;
}

/** Steps by id. The insertion order is topological, inputs first. */
export interface Graph {
  readonly steps: ReadonlyMap<StepId, Step>;
}

/** The steps that depend on nothing but their op and inputs. */
const SELF_CONTAINED: ReadonlySet<StepOp['kind']> = new Set(['image', 'http', 'git', 'stack']);

/** Collects steps. Identical steps are added once. */
export class GraphBuilder {
  readonly #steps = new Map<StepId, Step>();
  readonly #target: GraphTarget | undefined;

  /** `target` is the one that the steps belong to, in a graph for several. */
  constructor(target?: GraphTarget) {
    this.#target = target;
  }

  /** Adds a step and returns its id. Its inputs must be added before. */
  add(step: Omit<Step, 'id'>): StepId {
    for (const input of [step.base, ...step.sources]) {
      if (input !== undefined && !this.#steps.has(input))
        throw new Error(`Step "${step.name}" has an input that is not in the graph`);
    }
    const { op, base, sources } = step;
    const scope = SELF_CONTAINED.has(op.kind) ? undefined : this.#target?.scope;
    const id = stepId(digestOf(canonicalJson({ op, base, sources, scope })));
    const known = this.#steps.get(id);
    if (known === undefined) this.#steps.set(id, { ...labelled(step, this.#target), id });
    else if (step.noCache && !known.noCache) this.#steps.set(id, { ...known, noCache: true });
    return id;
  }

  /** Adds the steps of another target, which steps of this one build on. */
  include({ steps }: Graph): void {
    for (const [id, step] of steps) if (!this.#steps.has(id)) this.#steps.set(id, step);
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

/** Joins the graphs of several targets, in order. A shared step is that of the first, without the cache if one wants that. */
export function joinGraphs(graphs: readonly Graph[]): Graph {
  const steps = new Map<StepId, Step>();
  for (const step of graphs.flatMap((graph) => [...graph.steps.values()])) {
    const known = steps.get(step.id);
    if (known === undefined) steps.set(step.id, step);
    else if (step.noCache && !known.noCache) steps.set(step.id, { ...known, noCache: true });
  }
  return { steps };
}

/** Puts the name of the target into that of the step: `[web build 2/4] RUN make`. */
function labelled(step: Omit<Step, 'id'>, target: GraphTarget | undefined): Omit<Step, 'id'> {
  return target === undefined ? step : { ...step, name: nameWithin(target.name, step.name), target: target.name };
}

/** Returns the name of work for a target: `[web build 2/4] RUN make`, `[web] exporting to image`. */
export function nameWithin(target: string, name: string): string {
  return name.startsWith('[') ? `[${target} ${name.slice(1).trimStart()}` : `[${target}] ${name}`;
}
