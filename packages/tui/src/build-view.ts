import type { SourceRange } from '@tbuild/errors';
import type { Outcome, ProgressEvent, ProgressStepId } from '@tbuild/progress';
import { appendLog, closeLog, emptyLog, type StepLog } from './log-lines.ts';

export type StepState = 'waiting' | 'running' | Outcome;

/** One thing that a step moves. */
export interface TransferView {
  readonly item: string;
  readonly current: number;
  readonly total?: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly done: boolean;
}

export interface StepView {
  readonly id: ProgressStepId;
  readonly name: string;
  readonly state: StepState;
  /** The number on the screen, given at the start: 1, 2, 3 …; 0 while waiting. */
  readonly index: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly log: StepLog;
  readonly transfers: readonly TransferView[];
  readonly warnings: readonly string[];
  readonly error?: string;
  /** Why the cache had nothing. */
  readonly reason?: string;
  /** Events so far: what the plain display shares the screen by. */
  readonly updates: number;
}

export interface WarningView {
  readonly message: string;
  readonly location?: SourceRange;
  /** The part of it that is meant. */
  readonly token?: SourceRange;
  /** One line on such warnings in general, and where to read more. */
  readonly detail?: string;
  readonly url?: string;
}

/** All that a display knows of a build. A value: each event makes a new one. */
export interface BuildView {
  /** In the order planned, or started when never planned. */
  readonly steps: ReadonlyMap<ProgressStepId, StepView>;
  readonly started: number;
  /** In the order finished. */
  readonly finished: readonly ProgressStepId[];
  readonly startedAt?: number;
  /** When the latest step finished. */
  readonly finishedAt?: number;
  readonly warnings: readonly WarningView[];
}

export const emptyView: BuildView = { steps: new Map(), started: 0, finished: [], warnings: [] };

/** The view after an event that came at `now`. Pure; all that displays show is decided here. */
export function reduce(view: BuildView, event: ProgressEvent, now: number): BuildView {
  switch (event.type) {
    case 'planned':
      return plan(view, event.steps);
    case 'started':
      return start(view, event.step, event.at);
    case 'finished':
      return finish(view, event);
    case 'log':
      return update(view, event.step, (step) => ({
        log: appendLog(step.log, event.data, now - (step.startedAt ?? now)),
      }));
    case 'transfer':
      return update(view, event.step, (step) => ({ transfers: withTransfer(step.transfers, event, now) }));
    case 'warning':
      return warn(view, event);
  }
}

/** Whether every planned step has finished. */
export function isComplete(view: BuildView): boolean {
  return view.steps.size > 0 && view.finished.length === view.steps.size;
}

/** The steps in `state`, in the order of their start. */
export function stepsIn(view: BuildView, state: StepState): readonly StepView[] {
  return [...view.steps.values()].filter((step) => step.state === state).sort((a, b) => a.index - b.index);
}

type EventOf<Type extends ProgressEvent['type']> = Extract<ProgressEvent, { type: Type }>;

function plan(view: BuildView, planned: EventOf<'planned'>['steps']): BuildView {
  const steps = new Map(view.steps);
  for (const { id, name } of planned) steps.set(id, { ...(steps.get(id) ?? waiting(id)), name });
  return { ...view, steps };
}

function start(view: BuildView, id: ProgressStepId, at: number): BuildView {
  const known = view.steps.get(id);
  // What was cached may turn out to be gone: then its step begins anew, and what failed for that.
  const isAgain = known?.state === 'cached' || known?.state === 'failed';
  if (known !== undefined && known.index > 0 && !isAgain) return view;
  const index = view.started + 1;
  const started = update(view, id, () => ({
    state: 'running',
    index,
    startedAt: at,
    finishedAt: undefined,
    error: undefined,
  }));
  const finished = isAgain ? view.finished.filter((other) => other !== id) : view.finished;
  return { ...started, finished, started: index, startedAt: view.startedAt ?? at };
}

function finish(before: BuildView, { step: id, at, outcome, error, reason }: EventOf<'finished'>): BuildView {
  const view = (before.steps.get(id)?.index ?? 0) > 0 ? before : start(before, id, at);
  if (view.steps.get(id)?.state !== 'running') return view;
  const finished = update(view, id, (step) => ({
    state: outcome,
    finishedAt: at,
    error,
    reason,
    log: closeLog(step.log),
    transfers: step.transfers.map((transfer) => ({ ...transfer, done: true })),
  }));
  return { ...finished, finished: [...view.finished, id], finishedAt: at };
}

function warn(view: BuildView, { step, message, location, token, detail, url }: EventOf<'warning'>): BuildView {
  const warning = { message, location, token, detail, url };
  const warned = { ...view, warnings: [...view.warnings, warning] };
  if (step === undefined) return warned;
  return update(warned, step, ({ warnings }) => ({ warnings: [...warnings, withLine(warning)] }));
}

/** The message with its place in the Dockerfile, as Docker's builder writes it. */
export function withLine({ message, location }: Pick<WarningView, 'message' | 'location'>): string {
  return location === undefined ? message : `${message} (line ${location.start.line})`;
}

function withTransfer(
  transfers: readonly TransferView[],
  { item, current, total, done }: EventOf<'transfer'>,
  now: number,
): readonly TransferView[] {
  const known = transfers.find((transfer) => transfer.item === item);
  const changed = {
    item,
    current,
    total,
    startedAt: known?.startedAt ?? now,
    updatedAt: now,
    done: done ?? current === total,
  };
  return known === undefined
    ? [...transfers, changed]
    : transfers.map((transfer) => (transfer === known ? changed : transfer));
}

function update(view: BuildView, id: ProgressStepId, change: (step: StepView) => Partial<StepView>): BuildView {
  const step = view.steps.get(id) ?? waiting(id);
  const steps = new Map(view.steps).set(id, { ...step, ...change(step), updates: step.updates + 1 });
  return { ...view, steps };
}

function waiting(id: ProgressStepId): StepView {
  return { id, name: id, state: 'waiting', index: 0, log: emptyLog, transfers: [], warnings: [], updates: 0 };
}
