import { isComplete, stepsIn, timeOf, type BuildView, type StepView } from './build-view.ts';
import { cutToWidth, padToWidth, widthOf } from './display-width.ts';
import { formatRemaining, formatSeconds } from './format.ts';
import { openLine } from './log-lines.ts';
import { withoutColours } from './terminal-line.ts';
import { defaultTheme, type Theme, type ThemeColor } from './theme.ts';
import { transferName, transferStatuses } from './transfer-label.ts';

/** The colour of a line of the terminal display. */
export type Tone = 'plain' | 'done' | 'failed' | 'cancelled' | 'faint';

/** A line of the terminal display before it is fitted to the width. */
export interface Row {
  readonly text: string;
  /** Candidates for the end of the text; the first one that fits is shown, never cut. */
  readonly statuses?: readonly string[];
  /** The text at the right edge. */
  readonly timer?: string;
  readonly tone: Tone;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly theme?: Theme;
  /** How many lines of output a running step shows. Defaults to 6. */
  readonly tailLines?: number;
  /** How long the build took before, in milliseconds. */
  readonly expected?: number;
  /** Names of what is built for the end of the header, the longest first; the first one that fits is shown. */
  readonly what?: readonly string[];
}

/** Milliseconds. Less than this is not worth telling. */
const LEAST_LEFT = 1000;
const TAIL_LINES = 6;
/** How many waiting steps are shown. */
const HELD_LINES = 2;
/** A row's text keeps this many columns before its status gets any. */
const LEAST_TEXT = 20;
/** The greatest height of the part that is redrawn. */
const MAX_LIVE_ROWS = 12;

/** Returns the header: `[+] Building 2.3s (5/9), about 8s left   app:1 linux/amd64`. */
export function headerRow(
  view: BuildView,
  now: number,
  { columns, expected = 0, what = [] }: Pick<Screen, 'columns' | 'expected' | 'what'>,
): Row {
  const complete = isComplete(view);
  const elapsed = (complete ? (view.finishedAt ?? now) : now) - (view.startedAt ?? now);
  const left = expected - elapsed;
  const end = complete ? ` ${endOf(view)}` : left > LEAST_LEFT ? `, about ${formatRemaining(left / 1000)} left` : '';
  const { length } = view.warnings;
  const warnings = length === 0 ? '' : length === 1 ? ', 1 warning' : `, ${length} warnings`;
  const text = `[+] Building ${formatSeconds(elapsed)} (${view.finished.length}/${view.steps.size})${end}${warnings}`;
  return { text, timer: what.find((name) => widthOf(text) + widthOf(name) + 3 < columns), tone: 'plain' };
}

function endOf({ steps }: BuildView): string {
  const states = new Set([...steps.values()].map(({ state }) => state));
  return states.has('failed') ? 'FAILED' : states.has('cancelled') ? 'CANCELED' : 'FINISHED';
}

/** Steps that finished and are one line of the display, or several that were cached. */
export type FinishedSteps = readonly [StepView, ...StepView[]];

/** Puts cached steps that finished one after the other together. */
export function foldCached(finished: readonly StepView[]): readonly FinishedSteps[] {
  const folded: [StepView, ...StepView[]][] = [];
  for (const step of finished) {
    const last = folded.at(-1);
    if (last !== undefined && isPlainlyCached(step) && isPlainlyCached(last[0])) last.push(step);
    else folded.push([step]);
  }
  return folded;
}

function isPlainlyCached({ state, transfers }: StepView): boolean {
  return state === 'cached' && transfers.length === 0;
}

/** Returns the lines of finished steps. Several cached ones are one line, with their places: `CACHED 2 steps: [1/3] [2/3]`. */
export function finishedRows(steps: FinishedSteps, now: number): readonly Row[] {
  const [first, ...others] = steps;
  if (others.length === 0) return [stepRow(first, now), ...transferRows(first, now)];
  const places = steps.map(({ name }) => /^\[.*?\]/.exec(name)?.[0] ?? name);
  return [{ text: ` => CACHED ${steps.length} steps: ${places.join(' ')}`, timer: formatSeconds(0), tone: 'done' }];
}

/** Returns a step's own line: ` => [build 2/4] RUN make   1.2s`. */
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

/** Returns the lines of a step's transfers. */
export function transferRows(step: StepView, now: number): readonly Row[] {
  return step.transfers.map((transfer) => ({
    text: ` => => ${transferName(transfer)}`,
    statuses: transferStatuses(transfer, now),
    timer: formatSeconds((transfer.done ? transfer.updatedAt : now) - transfer.startedAt),
    tone: step.finishedAt !== undefined && step.state !== 'cancelled' ? 'done' : 'plain',
  }));
}

/** Returns the last lines of a step's output, including an unfinished one. */
export function tailRows(step: StepView, most = TAIL_LINES): readonly Row[] {
  const open = openLine(step.log);
  const lines = [...step.log.lines.slice(-most * 2), ...(open === undefined ? [] : [open])]
    .map(({ text }) => withoutColours(text).trimEnd())
    .filter((text) => text !== '');
  return lines.slice(-most).map((text) => ({ text: ` => => # ${text}`, tone: 'faint' }));
}

/** A running step and the details that fit. */
export interface LiveStep {
  readonly step: StepView;
  readonly transfers: readonly Row[];
  readonly tail: readonly Row[];
}

/**
 * Returns the running steps with their details and the first waiting ones: at most {@link MAX_LIVE_ROWS} lines, more
 * if a step shows more than usual, and with the header two fewer than the screen has. `hidden` counts running steps that
 * did not fit.
 */
export function liveSteps(
  view: BuildView,
  now: number,
  { rows, tailLines = TAIL_LINES }: Pick<Screen, 'rows' | 'tailLines'>,
): { steps: readonly LiveStep[]; held: readonly Row[]; hidden: number } {
  const room = Math.max(1, Math.min(MAX_LIVE_ROWS + Math.max(0, tailLines - TAIL_LINES), rows - 2) - 1);
  const running = stepsIn(view, 'running');
  const shown = running.length > room ? running.slice(0, room - 1) : running;
  const details = shown.map((step) => ({
    step,
    transfers: transferRows({ ...step, transfers: step.transfers.filter((transfer) => !transfer.done) }, now),
    tail: tailRows(step, tailLines),
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

/** Returns steps that must run and wait for files that others fetch; their own time has not begun. */
function heldRows({ steps }: BuildView): readonly Row[] {
  return [...steps.values()].flatMap(({ state, isHeld, name }) =>
    state === 'waiting' && isHeld ? [{ text: ` => ${name}`, timer: 'waiting', tone: 'faint' } as const] : [],
  );
}

/** Divides `room`: everybody gets what they want, or an equal part if that is too much. */
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

/** Returns the row as a text of the screen's width, with the timer at the right. */
export function rowText({ text, statuses = [], timer }: Row, columns: number): string {
  const width = Math.max(20, columns - 1);
  if (timer === undefined) return cutToWidth(text, width);
  const room = width - widthOf(timer) - 1;
  return `${padToWidth(cutBefore(statuses, text, room), room)} ${timer}`;
}

/** Cuts a digest rather than an amount; a very narrow screen shows none. */
function cutBefore(statuses: readonly string[], text: string, room: number): string {
  const leftOf = (status: string): number => room - widthOf(status) - 1;
  const status = statuses.find((one) => leftOf(one) >= LEAST_TEXT);
  return status === undefined ? cutToWidth(text, room) : `${cutToWidth(text, leftOf(status))} ${status}`;
}

const THEMED: Readonly<Partial<Record<Tone, ThemeColor>>> = { done: 'run', failed: 'error', cancelled: 'cancel' };

/** Returns the fitted text in the row's colour, if colours are wanted. */
export function paintedRow(row: Row, { columns, color, theme = defaultTheme }: Screen): string {
  const text = rowText(row, columns);
  const themed = THEMED[row.tone];
  if (!color || row.tone === 'plain') return text;
  return themed === undefined ? `\x1b[2m${text}\x1b[22m` : `${theme[themed]}${text}\x1b[39m`;
}

/** Returns the whole build, one string per line: what remains on the screen of a short build. */
export function summaryLines(view: BuildView, now: number, screen: Screen): readonly string[] {
  const started = [...view.steps.values()].filter((step) => step.index > 0).sort((a, b) => a.index - b.index);
  const rows = foldCached(started).flatMap((steps) => finishedRows(steps, now));
  return [headerRow(view, now, { ...screen, expected: 0 }), ...rows].map((row) => paintedRow(row, screen));
}
