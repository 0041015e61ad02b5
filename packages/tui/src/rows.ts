import { isComplete, stepsIn, timeOf, type BuildView, type StepView } from './build-view.ts';
import { cutToWidth, padToWidth, widthOf } from './display-width.ts';
import { formatSeconds } from './format.ts';
import { openLine } from './log-lines.ts';
import { withoutColours } from './terminal-line.ts';
import { transferName, transferStatuses } from './transfer-label.ts';

/** How a line of the terminal display is coloured. */
export type Tone = 'plain' | 'done' | 'failed' | 'cancelled' | 'faint';

/** A line of the terminal display before it is fitted to the width. */
export interface Row {
  readonly text: string;
  /** Behind the text, and whole where that is cut: the first for which there is room. */
  readonly statuses?: readonly string[];
  /** At the right edge. */
  readonly timer?: string;
  readonly tone: Tone;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/** Lines of output shown under a running step. */
const TAIL_LINES = 6;
/** Lines of steps that wait. */
const HELD_LINES = 2;
/** Columns of a row's text that are worth more than its status. */
const LEAST_TEXT = 20;
/** The part of the screen that is drawn again and again is no higher than this. */
const MAX_LIVE_ROWS = 12;

/** `[+] Building 2.3s (5/9)` */
export function headerRow(view: BuildView, now: number): Row {
  const complete = isComplete(view);
  const elapsed = formatSeconds((complete ? (view.finishedAt ?? now) : now) - (view.startedAt ?? now));
  const text = `[+] Building ${elapsed} (${view.finished.length}/${view.steps.size})${complete ? ' FINISHED' : ''}`;
  return { text, tone: 'plain' };
}

/** A step's own line: ` => [build 2/4] RUN make   1.2s`. */
export function stepRow(step: StepView, now: number): Row {
  const { mark, tone } = MARKS[step.state];
  return {
    text: ` => ${mark}${step.name}`,
    timer: formatSeconds(timeOf(step, now)),
    tone,
  };
}

const MARKS: Readonly<Record<StepView['state'], { mark: string; tone: Tone }>> = {
  waiting: { mark: '', tone: 'plain' },
  running: { mark: '', tone: 'plain' },
  built: { mark: '', tone: 'done' },
  cached: { mark: 'CACHED ', tone: 'done' },
  failed: { mark: 'ERROR ', tone: 'failed' },
  cancelled: { mark: 'CANCELED ', tone: 'cancelled' },
};

/** The lines of what a step moves. */
export function transferRows(step: StepView, now: number): readonly Row[] {
  return step.transfers.map((transfer) => ({
    text: ` => => ${transferName(transfer)}`,
    statuses: transferStatuses(transfer, now),
    timer: formatSeconds((transfer.done ? transfer.updatedAt : now) - transfer.startedAt),
    tone: step.finishedAt !== undefined && step.state !== 'cancelled' ? 'done' : 'plain',
  }));
}

/** The last lines of a step's output, an unfinished one included. */
export function tailRows(step: StepView): readonly Row[] {
  const open = openLine(step.log);
  const lines = [...step.log.lines.slice(-TAIL_LINES * 2), ...(open === undefined ? [] : [open])]
    .map(({ text }) => withoutColours(text).trimEnd())
    .filter((text) => text !== '');
  return lines.slice(-TAIL_LINES).map((text) => ({ text: ` => => # ${text}`, tone: 'faint' }));
}

/** A running step with the details that there is room for. */
export interface LiveStep {
  readonly step: StepView;
  readonly transfers: readonly Row[];
  readonly tail: readonly Row[];
}

/**
 * The running steps and their details and the first that are held up, at most {@link MAX_LIVE_ROWS} lines and two less than
 * the screen with the header; `hidden` running steps found no room.
 */
export function liveSteps(
  view: BuildView,
  now: number,
  screenRows: number,
): { steps: readonly LiveStep[]; held: readonly Row[]; hidden: number } {
  const room = Math.max(1, Math.min(MAX_LIVE_ROWS, screenRows - 2) - 1);
  const running = stepsIn(view, 'running');
  const shown = running.length > room ? running.slice(0, room - 1) : running;
  const details = shown.map((step) => ({
    step,
    transfers: transferRows({ ...step, transfers: step.transfers.filter((transfer) => !transfer.done) }, now),
    tail: tailRows(step),
  }));
  const free = Math.max(0, room - running.length);
  const held = heldRows(view).slice(0, Math.min(free, HELD_LINES));
  const given = share(
    details.map(({ transfers, tail }) => transfers.length + tail.length),
    free - held.length,
  );
  const steps = details.map(({ step, transfers, tail }, index) => {
    const lines = given[index] ?? 0;
    const forTail = Math.min(tail.length, lines);
    return { step, transfers: transfers.slice(0, lines - forTail), tail: forTail === 0 ? [] : tail.slice(-forTail) };
  });
  return { steps, held, hidden: running.length - shown.length };
}

/** Steps that have to run and wait for files that others fetch; their own time has not begun. */
function heldRows({ steps }: BuildView): readonly Row[] {
  return [...steps.values()].flatMap(({ state, isHeld, name }) =>
    state === 'waiting' && isHeld ? [{ text: ` => ${name}`, timer: 'waiting', tone: 'faint' } as const] : [],
  );
}

/** Gives each as much of `room` as it wants, and where that is too much, equal parts. */
function share(wanted: readonly number[], room: number): readonly number[] {
  const given = wanted.map(() => 0);
  for (let left = room; left > 0;) {
    const hungry = wanted.flatMap((want, index) => ((given[index] ?? 0) < want ? [index] : []));
    if (hungry.length === 0) break;
    for (const index of hungry.slice(0, left)) given[index] = (given[index] ?? 0) + 1;
    left -= hungry.length;
  }
  return given;
}

/** The row as text of the screen's width: cut in the middle of nothing, timer at the right. */
export function rowText({ text, statuses = [], timer }: Row, columns: number): string {
  const width = Math.max(20, columns - 1);
  if (timer === undefined) return cutToWidth(text, width);
  const room = width - widthOf(timer) - 1;
  return `${padToWidth(cutBefore(statuses, text, room), room)} ${timer}`;
}

/** A digest can do without its end better than an amount without its own; on a very narrow screen there is none. */
function cutBefore(statuses: readonly string[], text: string, room: number): string {
  const leftOf = (status: string): number => room - widthOf(status) - 1;
  const status = statuses.find((one) => leftOf(one) >= LEAST_TEXT);
  return status === undefined ? cutToWidth(text, room) : `${cutToWidth(text, leftOf(status))} ${status}`;
}

const SGR: Readonly<Record<Tone, readonly [string, string] | undefined>> = {
  plain: undefined,
  done: ['\x1b[34m', '\x1b[39m'],
  failed: ['\x1b[31m', '\x1b[39m'],
  cancelled: ['\x1b[33m', '\x1b[39m'],
  faint: ['\x1b[2m', '\x1b[22m'],
};

/** The fitted text in the row's colour, if colours are wanted. */
export function paintedRow(row: Row, { columns, color }: Screen): string {
  const text = rowText(row, columns);
  const codes = SGR[row.tone];
  return color && codes !== undefined ? `${codes[0]}${text}${codes[1]}` : text;
}

/** The whole build as it stands, one string a line: what remains on the screen of a short build. */
export function summaryLines(view: BuildView, now: number, screen: Screen): readonly string[] {
  const started = [...view.steps.values()].filter((step) => step.index > 0).sort((a, b) => a.index - b.index);
  const rows = started.flatMap((step) => [stepRow(step, now), ...transferRows(step, now)]);
  return [headerRow(view, now), ...rows].map((row) => paintedRow(row, screen));
}
