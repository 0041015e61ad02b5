import type { ProgressStepId } from '@tbuild/progress';
import { stepsIn, timeOf, type BuildView, type StepView, type TransferView } from './build-view.ts';
import { formatLogTime, formatSeconds, formatTransferred } from './format.ts';
import { type LogLine, openLine } from './log-lines.ts';
import { transferLabel, transferRate } from './transfer-label.ts';

/** Prints what is new in each view it is given, as lines. */
export interface PlainPrinter {
  /**
   * Keeps what a step has said since the last event of it, since a view keeps only the end of that. True when so much
   * waits that it should be printed now.
   */
  take(view: BuildView, step: ProgressStepId, now: number): boolean;
  print(view: BuildView, now: number): void;
}

/** A step hidden for longer than this is shown next, and one shown alone may stay for the second. */
const MAX_HIDDEN = 10_000;
const MIN_SHOWN = 5_000;
/** A transfer is printed again after as long as it took until then, within these bounds. */
const LEAST_TRANSFER_INTERVAL = 1_000;
const MOST_TRANSFER_INTERVAL = 30_000;

/** Lines of one step that wait; a step that says more while others are shown is shown next. */
const MAX_WAITING = 1000;
/** An unfinished line is shown after this: it may be a question, or dots for a long time. */
const OPEN_SHOWN_AFTER = 2_000;

/** How much of a step is on the screen already. */
interface Printed {
  /** Complete lines that were taken from its log, and those of them that wait. */
  taken: number;
  waiting: LogLine[];
  /** What of the unfinished line is on the screen, and since when. */
  open: { readonly text: string; readonly at: number };
  warnings: number;
  /** The end that is on the screen; a step that starts again has another. */
  finishedAt?: number;
  updates: number;
  /** When what is not on the screen began to come, and how much had come before. */
  blockedAt: number;
  updatesBefore: number;
  transfers: Map<string, TransferView>;
}

/**
 * Prints as buildx's `--progress=plain` does: the lines of one step stay together as long as it runs, others
 * wait until they have finished, or until their share of the screen is due.
 */
export function createPlainPrinter(
  write: (text: string) => void,
  { explain = false }: { readonly explain?: boolean } = {},
): PlainPrinter {
  const printed = new Map<ProgressStepId, Printed>();
  let current: StepView | undefined;
  let isFirst = true;

  const stateOf = (step: StepView, now: number): Printed => {
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
    for (const step of stepsIn(view, 'running')) {
      const state = stateOf(step, now);
      if (step.updates === state.updatesBefore) state.blockedAt = now;
    }
    const changed = [...view.steps.values()].filter(
      (step) => step.index > 0 && step.updates !== stateOf(step, now).updates,
    );
    const finished = changed.filter((step) => step.finishedAt !== undefined);
    const shown = current?.id;
    finished.sort(
      (a, b) =>
        Number(b.id === shown) - Number(a.id === shown) || view.finished.indexOf(a.id) - view.finished.indexOf(b.id),
    );
    for (const step of finished) printStep(step, now);
    const running = stepsIn(view, 'running');
    const still = running.find((step) => step.id === current?.id);
    if (still !== undefined && (changed.includes(still) || hasDue(still, stateOf(still, now), now)))
      printStep(still, now);
    const next = choose(running, still, (step) => stateOf(step, now), now);
    if (next !== undefined && next !== still) printStep(next, now);
  };

  const take = (view: BuildView, id: ProgressStepId, now: number): boolean => {
    const step = view.steps.get(id);
    if (step === undefined || step.index === 0) return false;
    const state = stateOf(step, now);
    takeLines(step, state);
    return state.waiting.length >= MAX_WAITING;
  };

  return { take, print };
}

const NOTHING_OPEN = { text: '', at: 0 };

function takeLines({ log }: StepView, state: Printed): void {
  if (log.count <= state.taken) return;
  state.waiting = state.waiting.concat(log.lines.slice(state.taken - log.count));
  state.taken = log.count;
}

/** The step whose turn it is: of those that have something new, as buildx shares the screen. */
function choose(
  running: readonly StepView[],
  current: StepView | undefined,
  stateOf: (step: StepView) => Printed,
  now: number,
): StepView | undefined {
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

/** All complete lines; of one that was shown before its end only the rest. */
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

/** A progress bar draws itself anew; what only grew is shown from where it ended. */
function restOf({ after, text }: LogLine, shown: string): readonly LogLine[] {
  const rest = shown !== '' && text.startsWith(shown) ? text.slice(shown.length) : text;
  return rest === '' && shown !== '' ? [] : [{ after, text: rest }];
}

function dueOpenLine(step: StepView, { open: { text, at } }: Printed, now: number): LogLine | undefined {
  const line = openLine(step.log);
  if (line === undefined || line.text === '' || line.text === text) return undefined;
  return now - Math.max(at, (step.startedAt ?? now) + line.after) >= OPEN_SHOWN_AFTER ? line : undefined;
}

/** Whether there is something to print of a step that is shown, though nothing but time has passed, or a transfer goes on. */
function hasDue(step: StepView, state: Printed, now: number): boolean {
  return dueOpenLine(step, state, now) !== undefined || dueTransfers(step, state).length > 0;
}

function dueTransfers(step: StepView, { transfers }: Printed): readonly TransferView[] {
  return step.transfers.filter((transfer) => isDue(transfer, transfers.get(transfer.item)));
}

function isDue(transfer: TransferView, last: TransferView | undefined): boolean {
  const { done, current, total, startedAt, updatedAt } = transfer;
  if (done) return last?.done !== true;
  // Of what is not counted there is nothing to say but that it began.
  if (current === 0 && total === undefined) return last === undefined;
  const before = last?.updatedAt ?? startedAt;
  const interval = Math.min(Math.max(before - startedAt, LEAST_TRANSFER_INTERVAL), MOST_TRANSFER_INTERVAL);
  return updatedAt - before >= interval;
}

/** `transferring context: 2.34MB 0.1s done`; while it goes on also how fast it is. */
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
