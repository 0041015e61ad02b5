import { type SourceRange, visible, visibleLine } from '@tbuild/errors';
import type { Outcome, ProgressEvent, ProgressStepId } from '@tbuild/progress';
import { appendLog, closeLog, emptyLog, type StepLog } from './log-lines.ts';

export type StepState = 'waiting' | 'running' | Outcome;

/** Something that a step transfers. */
export interface TransferView {
  readonly item: string;
  readonly current: number;
  readonly total?: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly done: boolean;
  /** Samples of the amount from the last seconds, oldest first; the rate is computed from them. */
  readonly recent: readonly { readonly at: number; readonly current: number }[];
}

export interface StepView {
  readonly id: ProgressStepId;
  readonly name: string;
  /** The target that it is for, in a build of several. */
  readonly target?: string;
  readonly inputs?: readonly ProgressStepId[];
  readonly state: StepState;
  /** The number on the screen, assigned at the first start: 1, 2, 3, …; 0 while the step waits. */
  readonly index: number;
  /** Whether the step waits for files that other steps fetch and extract. */
  readonly isHeld: boolean;
  /** The start of the latest run. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** The duration of the earlier runs, in milliseconds. */
  readonly spent: number;
  readonly log: StepLog;
  readonly transfers: readonly TransferView[];
  readonly warnings: readonly string[];
  readonly error?: string;
  /** Why the cache had no record for the step. */
  readonly reason?: string;
  /**
   * How many events came, except those that only report a transfer's progress. The plain display shares the screen by
   * it.
   */
  readonly updates: number;
}

export interface WarningView {
  readonly message: string;
  readonly location?: SourceRange;
  /** The part of the line that the warning is about. */
  readonly token?: SourceRange;
  /** A line about warnings of this kind, and where to read more. */
  readonly detail?: string;
  readonly url?: string;
}

/** All that a display knows about a build: texts without characters that change the terminal. It is a value: each event makes a new one. */
export interface BuildView {
  /** Steps in the order of the plan; those that were never planned, in the order of their start. */
  readonly steps: ReadonlyMap<ProgressStepId, StepView>;
  readonly started: number;
  /** Steps in the order in which they finished. */
  readonly finished: readonly ProgressStepId[];
  readonly startedAt?: number;
  /** The time at which the latest step finished. */
  readonly finishedAt?: number;
  readonly warnings: readonly WarningView[];
}

export const emptyView: BuildView = { steps: new Map(), started: 0, finished: [], warnings: [] };

/** Returns the view after an event that arrived at `now`. Pure; everything that displays show is decided here. */
export function reduce(view: BuildView, event: ProgressEvent, now: number): BuildView {
  switch (event.type) {
    case 'planned':
      return plan(view, event.steps);
    case 'waiting':
      return update(view, event.step, () => ({ isHeld: true }));
    case 'started':
      return start(view, event.step, event.at);
    case 'finished':
      return finish(view, event);
    case 'log':
      return update(view, event.step, (step) => ({
        log: appendLog(step.log, event.data, now - (step.startedAt ?? now)),
      }));
    case 'transfer':
      return transfer(view, event, now);
    case 'warning':
      return warn(view, event);
  }
}

/** Returns how long a step has worked, over all of its runs. */
export function timeOf({ spent, startedAt, finishedAt }: StepView, now: number): number {
  return startedAt === undefined ? spent : spent + (finishedAt ?? now) - startedAt;
}

/** Returns whether every planned step has finished. */
export function isComplete(view: BuildView): boolean {
  return view.steps.size > 0 && view.finished.length === view.steps.size;
}

/** Returns the steps in `state`, in the order of their start. */
export function stepsIn(view: BuildView, state: StepState): readonly StepView[] {
  return [...view.steps.values()].filter((step) => step.state === state).sort((a, b) => a.index - b.index);
}

type EventOf<Type extends ProgressEvent['type']> = Extract<ProgressEvent, { type: Type }>;

function plan(view: BuildView, planned: EventOf<'planned'>['steps']): BuildView {
  const steps = new Map(view.steps);
  for (const { location: _, ...step } of planned)
    steps.set(step.id, { ...(steps.get(step.id) ?? waiting(step.id)), ...step, name: visibleLine(step.name) });
  return { ...view, steps };
}

function start(view: BuildView, id: ProgressStepId, at: number): BuildView {
  const known = view.steps.get(id);
  if (known?.state === 'running') return view;
  const isAgain = known?.finishedAt !== undefined;
  const count = isAgain ? view.started : view.started + 1;
  const started = update(view, id, (step) => ({
    state: 'running',
    index: isAgain ? step.index : count,
    isHeld: false,
    startedAt: at,
    finishedAt: undefined,
    spent: timeOf(step, at),
    error: undefined,
  }));
  const finished = isAgain ? view.finished.filter((other) => other !== id) : view.finished;
  return { ...started, finished, started: count, startedAt: view.startedAt ?? at };
}

function finish(before: BuildView, { step: id, at, outcome, error, reason }: EventOf<'finished'>): BuildView {
  const view = (before.steps.get(id)?.index ?? 0) > 0 ? before : start(before, id, at);
  if (view.steps.get(id)?.state !== 'running') return view;
  const finished = update(view, id, (step) => ({
    state: outcome,
    finishedAt: at,
    error: error && visible(error),
    reason: reason && visibleLine(reason),
    log: closeLog(step.log),
    transfers: step.transfers.map((one) => ({ ...one, done: true })),
  }));
  return { ...finished, finished: [...view.finished, id], finishedAt: at };
}

function warn(view: BuildView, { step, message, location, token, detail, url }: EventOf<'warning'>): BuildView {
  const warning = { message: visible(message), location, token, detail, url };
  const warned = { ...view, warnings: [...view.warnings, warning] };
  if (step === undefined) return warned;
  return update(warned, step, ({ warnings }) => ({ warnings: [...warnings, withLine(warning)] }));
}

/** Returns the message with its line of the Dockerfile, as Docker's builder prints it. */
export function withLine({ message, location }: Pick<WarningView, 'message' | 'location'>): string {
  return location === undefined ? message : `${message} (line ${location.start.line})`;
}

function transfer(view: BuildView, event: EventOf<'transfer'>, now: number): BuildView {
  const step = view.steps.get(event.step) ?? waiting(event.step);
  const item = visibleLine(event.item);
  const known = step.transfers.find((other) => other.item === item);
  const changed = changedTransfer(known, { ...event, item }, now);
  const transfers =
    known === undefined
      ? [...step.transfers, changed]
      : step.transfers.map((other) => (other === known ? changed : other));
  const isTick = known !== undefined && known.done === changed.done;
  const steps = new Map(view.steps).set(step.id, { ...step, transfers, updates: step.updates + (isTick ? 0 : 1) });
  return { ...view, steps };
}

/** The window over which the rate is computed and the distance of its samples, in milliseconds. */
const RATE_SPAN = 5000;
const RATE_STEP = 500;

function changedTransfer(
  known: TransferView | undefined,
  { item, current, total, done }: EventOf<'transfer'>,
  now: number,
): TransferView {
  const before = known?.recent ?? [];
  const isNext = now - (before.at(-1)?.at ?? -Infinity) >= RATE_STEP;
  const recent = isNext
    ? [...before.filter(({ at }, index) => now - at <= RATE_SPAN || index === before.length - 1), { at: now, current }]
    : before;
  return {
    item,
    current,
    total,
    startedAt: known?.startedAt ?? now,
    updatedAt: now,
    done: done ?? current === total,
    recent,
  };
}

function update(view: BuildView, id: ProgressStepId, change: (step: StepView) => Partial<StepView>): BuildView {
  const step = view.steps.get(id) ?? waiting(id);
  const steps = new Map(view.steps).set(id, { ...step, ...change(step), updates: step.updates + 1 });
  return { ...view, steps };
}

function waiting(id: ProgressStepId): StepView {
  return {
    id,
    name: id,
    state: 'waiting',
    index: 0,
    isHeld: false,
    spent: 0,
    log: emptyLog,
    transfers: [],
    warnings: [],
    updates: 0,
  };
}
