import type { ProgressStepId } from '@tbuild/progress';
import { timeOf, type StepView, type TransferView } from './build-view.ts';
import { formatLogTime, formatSeconds, formatTransferred } from './format.ts';
import { type LogLine, openLine } from './log-lines.ts';
import { transferLabel, transferRate } from './transfer-label.ts';

/** A transfer is printed again after as long as it has taken so far, within these bounds. */
const LEAST_TRANSFER_INTERVAL = 1_000;
const MOST_TRANSFER_INTERVAL = 30_000;

/** How many lines of one step may wait; a step with more is shown next. */
export const MAX_WAITING = 1000;
/** An unfinished line is shown after this time: it may be a question, or a slow row of dots. */
const OPEN_SHOWN_AFTER = 2_000;

/** How much of a step is on the screen. */
export interface Printed {
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

const NOTHING_OPEN = { text: '', at: 0 };

/** Remembers how much of each step is on the screen. */
export function printedSteps(): (step: StepView, now: number) => Printed {
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

/** Takes new lines from the step's log, and returns all that wait. */
export function takeLines({ log }: StepView, state: Printed): readonly LogLine[] {
  if (log.count > state.taken) state.waiting = state.waiting.concat(log.lines.slice(state.taken - log.count));
  state.taken = Math.max(state.taken, log.count);
  return state.waiting;
}

/** Returns the lines that are not on the screen yet, and marks them as printed. */
export function newLines(
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
    ...transfers.map((transfer) => transferLine(transfer, step, now)),
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
export function hasDue(step: StepView, state: Printed, now: number): boolean {
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
function transferLine(transfer: TransferView, { state }: StepView, now: number): string {
  const elapsed = transfer.updatedAt - transfer.startedAt;
  const rate = transferRate(transfer, now);
  const speed = rate === undefined ? '' : ` ${formatTransferred(Math.round(rate))}/s`;
  const isCut = transfer.current !== transfer.total && (state === 'failed' || state === 'cancelled');
  const time = elapsed > 10 ? ` ${formatSeconds(elapsed)}` : '';
  return `${transferLabel(transfer)}${speed}${time}${transfer.done && !isCut ? ' done' : ''}`;
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
