import type { ProgressStepId } from '@tbuild/progress';
import { stepsIn, timeOf, type BuildView, type StepView, type TransferView } from './build-view.ts';
import { formatLogTime, formatSeconds, formatTransferred } from './format.ts';
import { type LogLine, openLine } from './log-lines.ts';
import { transferLabel, transferRate } from './transfer-label.ts';

/** Prints the news of each view as lines. */
export interface PlainPrinter {
  /**
   * Keeps a step's output of the latest event, since a view holds only the end of it. Returns whether so much waits
   * that it should be printed now.
   */
  take(view: BuildView, step: ProgressStepId, now: number): boolean;
  print(view: BuildView, now: number): void;
}

/** A step hidden for longer than this is shown next; a step shown alone keeps the screen for the second time. */
const MAX_HIDDEN = 10_000;
const MIN_SHOWN = 5_000;
/** A transfer is printed again after as long as it has taken so far, within these bounds. */
const LEAST_TRANSFER_INTERVAL = 1_000;
const MOST_TRANSFER_INTERVAL = 30_000;

/** How many lines of one step may wait; a step with more is shown next. */
const MAX_WAITING = 1000;
/** An unfinished line is shown after this time: it may be a question, or a slow row of dots. */
const OPEN_SHOWN_AFTER = 2_000;

/** How much of a step is on the screen. */
interface Printed {
  /** How many complete lines were taken from the step's log, and those of them that wait. */
  taken: number;
  waiting: LogLine[];
  /** The part of the unfinished line that is on the screen, and since when. */
  open: { readonly text: string; readonly at: number };
  warnings: number;
  /** The end that is on the screen; a step that starts again gets another. */
  finishedAt?: number;
  updates: number;
  /** When the first unprinted news arrived, and how many events there had been by then. */
  blockedAt: number;
  updatesBefore: number;
  transfers: Map<string, TransferView>;
}

/**
 * Prints like buildx's `--progress=plain`: the lines of one step stay together while it runs. Other steps wait until
 * they have finished, or until their share of the screen is due.
 */
export function createPlainPrinter(
  write: (text: string) => void,
  { explain = false }: { readonly explain?: boolean } = {},
): PlainPrinter {
  const stateOf = printedSteps();
  let current: StepView | undefined;
  let isFirst = true;

  const printStep = (step: StepView, now: number): void => {
    const state = stateOf(step, now);
    if (current?.id !== step.id) {
      if (current !== undefined) {
        write(`#${current.index} ...\n`);
        restart(current, stateOf(current, now), now);
      }
      write(`${isFirst ? '' : '\n'}#${step.index} ${step.name}\n`);
      isFirst = false;
    }
    const lines = newLines(step, state, { explain, now });
    if (lines.length > 0) write(lines.map((line) => `#${step.index} ${line}\n`).join(''));
    state.updates = step.updates;
    state.finishedAt = step.finishedAt;
    current = step.finishedAt === undefined ? step : undefined;
  };

  const print = (view: BuildView, now: number): void => {
    const running = stepsIn(view, 'running');
    for (const step of running) {
      const state = stateOf(step, now);
      if (step.updates === state.updatesBefore) state.blockedAt = now;
    }
    const changed = [...view.steps.values()].filter(
      (step) => step.index > 0 && step.updates !== stateOf(step, now).updates,
    );
    for (const step of finishedIn(view, changed, current?.id)) printStep(step, now);
    const still = running.find((step) => step.id === current?.id);
    if (still !== undefined && (changed.includes(still) || hasDue(still, stateOf(still, now), now)))
      printStep(still, now);
    const next = choose({ running, current: still, stateOf: (step) => stateOf(step, now), now });
    if (next !== undefined && next !== still) printStep(next, now);
  };

  const take = (view: BuildView, id: ProgressStepId, now: number): boolean => {
    const step = view.steps.get(id);
    if (step === undefined || step.index === 0) return false;
    return takeLines(step, stateOf(step, now)).length >= MAX_WAITING;
  };

  return { take, print };
}

const NOTHING_OPEN = { text: '', at: 0 };

/** Remembers how much of each step is on the screen. */
function printedSteps(): (step: StepView, now: number) => Printed {
  const printed = new Map<ProgressStepId, Printed>();
  return (step, now) => {
    const known = printed.get(step.id);
    if (known !== undefined) return known;
    const fresh = {
      taken: 0,
      waiting: [],
      open: NOTHING_OPEN,
      warnings: 0,
      updates: 0,
      blockedAt: now,
      updatesBefore: 0,
      transfers: new Map(),
    };
    printed.set(step.id, fresh);
    return fresh;
  };
}

/** Returns the finished steps: the one on the screen first, then in the order in which they finished. */
function finishedIn(
  { finished }: BuildView,
  steps: readonly StepView[],
  shown: ProgressStepId | undefined,
): readonly StepView[] {
  return steps
    .filter((step) => step.finishedAt !== undefined)
    .sort((a, b) => Number(b.id === shown) - Number(a.id === shown) || finished.indexOf(a.id) - finished.indexOf(b.id));
}

/** Takes new lines from the step's log, and returns all that wait. */
function takeLines({ log }: StepView, state: Printed): readonly LogLine[] {
  if (log.count > state.taken) state.waiting = state.waiting.concat(log.lines.slice(state.taken - log.count));
  state.taken = Math.max(state.taken, log.count);
  return state.waiting;
}

interface Choice {
  readonly running: readonly StepView[];
  /** The step that is on the screen. */
  readonly current: StepView | undefined;
  readonly stateOf: (step: StepView) => Printed;
  readonly now: number;
}

/** Chooses the step to show next among those with news, as buildx shares the screen. */
function choose({ running, current, stateOf, now }: Choice): StepView | undefined {
  const waited = (step: StepView): number => now - stateOf(step).blockedAt;
  const speed = (step: StepView): number => (step.updates - stateOf(step).updatesBefore) / Math.max(waited(step), 1);
  const others = running.filter((step) => step !== current && step.updates !== stateOf(step).updates);
  const fastest = others.reduce<StepView | undefined>(
    (best, step) => (best === undefined || speed(step) > speed(best) ? step : best),
    undefined,
  );
  if (current === undefined) return fastest ?? running[0];
  const overdue = others.find((step) => waited(step) > MAX_HIDDEN || stateOf(step).waiting.length >= MAX_WAITING);
  if (overdue !== undefined) return overdue;
  const share = speed(current) / [current, ...others].reduce((sum, step) => sum + speed(step), 0);
  return MIN_SHOWN / (1 - share) < waited(current) ? fastest : current;
}

function restart(step: StepView, state: Printed, now: number): void {
  state.blockedAt = now;
  state.updatesBefore = step.updates;
}

function newLines(
  step: StepView,
  state: Printed,
  { explain, now }: { explain: boolean; now: number },
): readonly string[] {
  const transfers = dueTransfers(step, state);
  for (const transfer of transfers) state.transfers.set(transfer.item, transfer);
  const warnings = step.warnings.slice(state.warnings);
  state.warnings = step.warnings.length;
  const lines = newLogLines(step, state, now);
  return [
    ...transfers.map((transfer) => transferLine(transfer, now)),
    ...warnings.map((warning) => `WARN: ${warning}`),
    ...lines.map(({ after, text }) => `${formatLogTime(after)} ${text}`),
    ...(step.finishedAt === undefined || state.finishedAt === step.finishedAt
      ? []
      : [...(explain && step.reason !== undefined ? [`missed: ${step.reason}`] : []), outcomeLine(step)]),
  ];
}

/** Returns all complete lines; of a line that was shown unfinished, only the rest. */
function newLogLines(step: StepView, state: Printed, now: number): readonly LogLine[] {
  takeLines(step, state);
  const [first, ...others] = state.waiting;
  state.waiting = [];
  const lines = first === undefined ? [] : [...restOf(first, state.open.text), ...others];
  if (first !== undefined) state.open = NOTHING_OPEN;
  const open = dueOpenLine(step, state, now);
  if (open === undefined) return lines;
  const shown = restOf(open, state.open.text);
  state.open = { text: open.text, at: now };
  return [...lines, ...shown];
}

/** Skips what is on the screen, unless a progress bar has redrawn it. */
function restOf({ after, text }: LogLine, shown: string): readonly LogLine[] {
  const rest = shown !== '' && text.startsWith(shown) ? text.slice(shown.length) : text;
  return rest === '' && shown !== '' ? [] : [{ after, text: rest }];
}

function dueOpenLine(step: StepView, { open: { text, at } }: Printed, now: number): LogLine | undefined {
  const line = openLine(step.log);
  if (line === undefined || line.text === '' || line.text === text) return undefined;
  return now - Math.max(at, (step.startedAt ?? now) + line.after) >= OPEN_SHOWN_AFTER ? line : undefined;
}

/** Returns whether a shown step has something to print although only time has passed or a transfer has advanced. */
function hasDue(step: StepView, state: Printed, now: number): boolean {
  return dueOpenLine(step, state, now) !== undefined || dueTransfers(step, state).length > 0;
}

function dueTransfers(step: StepView, { transfers }: Printed): readonly TransferView[] {
  return step.transfers.filter((transfer) => isDue(transfer, transfers.get(transfer.item)));
}

function isDue(transfer: TransferView, last: TransferView | undefined): boolean {
  const { done, current, total, startedAt, updatedAt } = transfer;
  if (done) return last?.done !== true;
  // A transfer without a count only has a start.
  if (current === 0 && total === undefined) return last === undefined;
  const before = last?.updatedAt ?? startedAt;
  const interval = Math.min(Math.max(before - startedAt, LEAST_TRANSFER_INTERVAL), MOST_TRANSFER_INTERVAL);
  return updatedAt - before >= interval;
}

/** Formats `transferring context: 2.34MB 0.1s done`; a transfer that goes on has its rate too. */
function transferLine(transfer: TransferView, now: number): string {
  const elapsed = transfer.updatedAt - transfer.startedAt;
  const rate = transferRate(transfer, now);
  const speed = rate === undefined ? '' : ` ${formatTransferred(Math.round(rate))}/s`;
  const time = elapsed > 10 ? ` ${formatSeconds(elapsed)}` : '';
  return `${transferLabel(transfer)}${speed}${time}${transfer.done ? ' done' : ''}`;
}

function outcomeLine(step: StepView): string {
  switch (step.state) {
    case 'cached':
      return 'CACHED';
    case 'cancelled':
      return 'CANCELED';
    case 'failed':
      return `ERROR: ${step.error ?? 'failed'}`;
    default:
      return `DONE ${formatSeconds(timeOf(step, 0))}`;
  }
}
