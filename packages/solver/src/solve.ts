import { setImmediate as nextTurn } from 'node:timers/promises';
import { abortable } from '@tbuild/concurrency';
import { hasCode, locate, messageOf, TbuildError } from '@tbuild/errors';
import type { Graph, Step, StepId } from '@tbuild/graph';
import type { Outcome, Progress } from '@tbuild/progress';
import pLimit from 'p-limit';
import { createMissingResults, type MissingResults } from './missing-results.ts';
import type { Inputs, Loaded, Miss, Op, Prepared, ResultCache, Solved } from './op.ts';
import { createSolving } from './solving.ts';

export interface SolveOptions<R> {
  opFor(step: Step): Op<R>;
  readonly cache: ResultCache<R>;
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The number of steps that may run at once; unlimited when undefined. */
  readonly jobs?: number;
  /** Steps whose results must exist as data, not only as records. */
  readonly needed?: Iterable<StepId>;
  /** Called for each step that is not cached, as soon as that is known or almost certain. */
  readonly onUncached?: () => void;
  /** Receives each step as soon as it is solved. */
  readonly onSolved?: (step: Step, solved: Solved<R>) => void;
  readonly signal: AbortSignal;
}

/** Solves the steps of a graph, repeatedly if results turn out to be missing. */
export interface Solver<R> {
  /**
   * Waits until these steps, or all, are solved. Every step is solved as soon as its inputs are, from the cache or by
   * running it; after `recover`, the affected steps are solved again. The first failure of any step aborts the rest and
   * is thrown; other running steps end as cancelled.
   */
  solve(steps?: Iterable<StepId>): Promise<ReadonlyMap<StepId, Solved<R>>>;
  /**
   * Decides whether an error reports missing results. If so, their steps run again and then their dependents, for
   * which the next `solve` waits. A result that is missing for the second time is a failure.
   */
  recover(error: unknown): boolean;
}

/** Starts to solve a graph. */
export function openSolver<R>(graph: Graph, options: SolveOptions<R>): Solver<R> {
  const planned = [...graph.steps.values()].map(({ id, name, target, base, sources, location }) => ({
    id,
    name,
    inputs: base === undefined ? sources : [base, ...sources],
    ...(target === undefined ? {} : { target }),
    ...(location === undefined ? {} : { location }),
  }));
  options.progress.emit({ type: 'planned', steps: planned });
  const failure = new AbortController();
  const run = {
    ...options,
    signal: AbortSignal.any([options.signal, failure.signal]),
    limit: pLimit(options.jobs ?? Infinity),
    missingResults: createMissingResults(graph, options.cache, options.needed),
    startAgain: (steps: ReadonlySet<StepId>) => solving.startAgain(steps),
  };
  const solving = createSolving<R>(
    graph,
    (step, inputs, isCurrent) => solveStep(step, inputs, { ...run, isCurrent }),
    (error) => failure.abort(error),
  );
  return {
    solve: (steps) => solving.settle(steps),
    recover(error) {
      const lost = run.missingResults.behind(error);
      solving.startAgain(lost);
      return lost.size > 0;
    },
  };
}

interface RunContext<R> extends SolveOptions<R> {
  readonly limit: ReturnType<typeof pLimit>;
  readonly missingResults: MissingResults<R>;
  startAgain(steps: ReadonlySet<StepId>): void;
  /** Whether the result of this attempt still counts. */
  isCurrent(): boolean;
}

async function solveStep<R>(step: Step, inputs: Inputs<R>, run: RunContext<R>): Promise<Solved<R>> {
  const { progress, now, signal, missingResults } = run;
  throwIfAborted(signal);
  let shown: 'waiting' | 'started' | undefined;
  const wait = (): void => {
    if (shown !== undefined) return;
    progress.emit({ type: 'waiting', step: step.id, at: now() });
    shown = 'waiting';
  };
  const start = (): void => {
    if (shown !== 'started') progress.emit({ type: 'started', step: step.id, at: now() });
    shown = 'started';
  };
  let miss: Miss | undefined;
  const end = (outcome: Outcome, error?: string): void => {
    const why = outcome === 'cached' ? {} : miss;
    progress.emit({ type: 'finished', step: step.id, at: now(), outcome, ...why, error });
  };
  try {
    const { solved, outcome } = await loadOrRun({
      ...run,
      step,
      inputs,
      wait,
      start,
      onMiss: (told) => (miss = told),
    });
    end(outcome);
    run.onSolved?.(step, solved);
    return solved;
  } catch (error) {
    if (!run.isCurrent()) throw error;
    const lost = signal.aborted ? NONE : error instanceof MissingInputs ? error.steps : missingResults.behind(error);
    if (lost.size > 0) {
      run.startAgain(new Set([...lost, step.id]));
      throw error;
    }
    // A failure of the gathered inputs belongs to the steps that produced them.
    if (shown !== 'waiting') {
      start();
      if (signal.aborted && (error === signal.reason || isAbort(error))) end('cancelled');
      else end('failed', messageOf(error));
    }
    throw locate(advised(error, step), step.location);
  }
}

/** Adds what the step says about a source that is missing. */
function advised(error: unknown, { advice }: Step): unknown {
  if (!hasCode(error, 'NOT_FOUND') || error.subject === undefined || advice === undefined) return error;
  const found = Object.hasOwn(advice, error.subject) ? advice[error.subject] : undefined;
  if (found === undefined || (found.fallback === true && error.hint !== undefined)) return error;
  return Object.assign(error, { hint: found.hint });
}

const NONE: ReadonlySet<StepId> = new Set();

/** Thrown by a step that has to run while the data of its inputs is missing: the inputs have to run first. */
class MissingInputs extends Error {
  readonly steps: ReadonlySet<StepId>;

  constructor(steps: ReadonlySet<StepId>) {
    super('The data of an input is missing');
    this.steps = steps;
  }
}

interface Done<R> {
  readonly solved: Solved<R>;
  readonly outcome: Outcome;
}

interface StepRun<R> extends RunContext<R> {
  readonly step: Step;
  readonly inputs: Inputs<R>;
  /** Reports that the step has to run but waits for its inputs. */
  wait(): void;
  /** Reports that the step starts to run. */
  start(): void;
  /** Reports why the step has to run, once that is known. */
  onMiss(miss: Miss | undefined): void;
}

async function loadOrRun<R>(run: StepRun<R>): Promise<Done<R>> {
  const op = run.opFor(run.step);
  if (op.anticipate === undefined) return prepareAndRun(op, run);
  const unneeded = new AbortController();
  const onStart = (): void => {
    run.onUncached?.();
    run.start();
  };
  op.anticipate({ signal: unneeded.signal, onStart });
  let done: Done<R> | undefined;
  try {
    return (done = await prepareAndRun(op, run));
  } finally {
    if (done?.outcome !== 'built') unneeded.abort();
  }
}

async function prepareAndRun<R>(op: Op<R>, run: StepRun<R>): Promise<Done<R>> {
  const { step, inputs, missingResults } = run;
  const prepared = await op.prepare(inputs, run.signal);
  const { key } = prepared;
  const loaded = await load(prepared, run);
  if (loaded === undefined) run.onUncached?.();
  const cached = missingResults.accept(step, loaded);
  if (cached !== undefined) return { solved: { key, result: cached }, outcome: 'cached' };
  const missing = missingResults.missingFor(step);
  if (missing.size > 0) throw new MissingInputs(missing);
  const [ran] = await run.limit(() =>
    Promise.allSettled([runStep(prepared, run), whyMissed(prepared, loaded !== undefined, run).then(run.onMiss)]),
  );
  if (ran.status === 'rejected') throw ran.reason;
  return { solved: { key, result: ran.value.result }, outcome: ran.value.outcome };
}

async function load<R>({ key, canGive, notBefore }: Prepared<R>, run: StepRun<R>): Promise<Loaded<R> | undefined> {
  const { step, inputs, cache } = run;
  return step.noCache ? undefined : await cache.load(key, { step, base: inputs.base?.result, canGive, notBefore });
}

async function runStep<R>(
  prepared: Prepared<R>,
  run: StepRun<R>,
): Promise<{ readonly result: R; readonly outcome: 'built' | 'cached' }> {
  const { step, inputs, signal, cache, wait, start } = run;
  throwIfAborted(signal);
  if (prepared.gather !== undefined) {
    wait();
    // Others may wait for the same work. The signal's reason may be the error of another step.
    await abortable(prepared.gather(), signal).finally(() => throwIfAborted(signal));
  }
  start();
  using turn = step.noCache ? undefined : await prepared.takeTurn?.();
  const cached = turn === undefined ? undefined : run.missingResults.accept(step, await load(prepared, run));
  if (cached !== undefined) return { result: cached, outcome: 'cached' };
  const result = await cache.save(prepared.key, await prepared.run(), {
    base: inputs.base?.result,
    replace: step.noCache,
  });
  return { result, outcome: 'built' };
}

/** Runs beside the step, so that the explanation delays nothing. Its failure does not fail the step. */
async function whyMissed<R>(
  { key, parts }: Prepared<R>,
  isRecorded: boolean,
  { step, cache }: StepRun<R>,
): Promise<Miss | undefined> {
  if (parts === undefined || cache.explain === undefined) return undefined;
  await nextTurn();
  try {
    const miss = await cache.explain(step, key, await parts());
    if (step.noCache) return { reason: 'the cache is off for this step' };
    return isRecorded ? { reason: 'the cache record was found, but its layer is missing' } : miss;
  } catch {
    return undefined;
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new TbuildError('CANCELLED', 'Build was cancelled', { cause: signal.reason });
}

function isAbort(error: unknown): boolean {
  return hasCode(error, 'CANCELLED') || (error instanceof Error && error.name === 'AbortError');
}
