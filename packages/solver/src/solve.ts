import { hasCode, locate, TbuildError } from '@tbuild/errors';
import type { Graph, Step, StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import pLimit from 'p-limit';
import type { Inputs, Op, Prepared, ResultCache, Solved } from './op.ts';

export interface SolveOptions<R> {
  opFor(step: Step): Op<R>;
  readonly cache: ResultCache<R>;
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  now(): number;
  /** How many steps may run at once; as many as the graph allows when undefined. */
  readonly jobs?: number;
  readonly signal: AbortSignal;
}

/**
 * Solves every step of `graph`, each as soon as its inputs are: from the cache, or by running it.
 * The first failure aborts the rest and is the error thrown; what others had running ends as cancelled.
 */
export async function solve<R>(graph: Graph, options: SolveOptions<R>): Promise<ReadonlyMap<StepId, Solved<R>>> {
  const { progress } = options;
  progress.emit({ type: 'planned', steps: [...graph.steps.values()].map(({ id, name }) => ({ id, name })) });
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const limit = pLimit(options.jobs ?? Infinity);
  const solving = new Map<StepId, Promise<Solved<R>>>();
  const run: RunContext<R> = { ...options, signal, limit };
  for (const step of graph.steps.values()) {
    const inputs = gatherInputs(step, solving);
    solving.set(
      step.id,
      inputs.then((ready) => solveStep(step, ready, run)),
    );
  }
  return settle(solving, failure);
}

interface RunContext<R> extends SolveOptions<R> {
  readonly limit: ReturnType<typeof pLimit>;
}

async function gatherInputs<R>(step: Step, solving: ReadonlyMap<StepId, Promise<Solved<R>>>): Promise<Inputs<R>> {
  const [base, ...sources] = await Promise.all([
    step.base === undefined ? undefined : solving.get(step.base),
    ...step.sources.map((source) => required(solving.get(source))),
  ]);
  return { base, sources: sources.map(required) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A step stands before its inputs in the graph');
  return value;
}

/** Waits for all, remembers the first failure in time, and throws it after everything has ended. */
async function settle<R>(
  solving: ReadonlyMap<StepId, Promise<Solved<R>>>,
  failure: AbortController,
): Promise<ReadonlyMap<StepId, Solved<R>>> {
  let first: { error: unknown } | undefined;
  const solved = new Map<StepId, Solved<R>>();
  await Promise.all(
    [...solving].map(async ([id, promise]) => {
      try {
        solved.set(id, await promise);
      } catch (error) {
        first ??= { error };
        failure.abort(error);
      }
    }),
  );
  if (first !== undefined) throw first.error;
  return solved;
}

async function solveStep<R>(step: Step, inputs: Inputs<R>, run: RunContext<R>): Promise<Solved<R>> {
  const { progress, now, signal } = run;
  throwIfAborted(signal);
  const end = (outcome: 'built' | 'cached' | 'cancelled', reason?: string): void =>
    progress.emit({ type: 'finished', step: step.id, at: now(), outcome, reason });
  let started = false;
  const start = (): void => {
    started = true;
    progress.emit({ type: 'started', step: step.id, at: now() });
  };
  try {
    const prepared = await run.opFor(step).prepare(inputs, signal);
    const cached = step.noCache ? undefined : await run.cache.load(prepared.key);
    if (cached !== undefined) {
      start();
      end('cached');
      return { key: prepared.key, result: cached };
    }
    const [result, reason] = await run.limit(() =>
      Promise.all([runStep(step, prepared, inputs, start, run), whyMissed(step, prepared, run)]),
    );
    end('built', reason);
    return { key: prepared.key, result };
  } catch (error) {
    if (!started) start();
    if (signal.aborted && isAbort(error)) end('cancelled');
    else progress.emit({ type: 'finished', step: step.id, at: now(), outcome: 'failed', error: messageOf(error) });
    throw locate(error, step.location);
  }
}

async function runStep<R>(
  step: Step,
  prepared: Prepared<R>,
  inputs: Inputs<R>,
  start: () => void,
  run: RunContext<R>,
): Promise<R> {
  throwIfAborted(run.signal);
  start();
  const result = await prepared.run();
  return run.cache.save(prepared.key, result, { base: inputs.base?.result, replace: step.noCache });
}

/** While the step runs, so that explaining delays nothing; a failure of it is none of the step. */
async function whyMissed<R>(
  step: Step,
  { key, parts }: Prepared<R>,
  { cache }: RunContext<R>,
): Promise<string | undefined> {
  if (parts === undefined || cache.explain === undefined) return undefined;
  try {
    const reason = cache.explain(step, key, await parts());
    return step.noCache ? 'the cache is turned off for it' : reason;
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
