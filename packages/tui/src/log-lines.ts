import { terminalLine } from './terminal-line.ts';

/** A complete line of a step's output. */
export interface LogLine {
  /** Milliseconds from the step's start to the line's first byte. */
  readonly after: number;
  readonly text: string;
}

/** The last lines of a step's output, and how many lines there were. */
export interface StepLog {
  /** At least the last {@link KEPT_LINES} lines, and all lines of the latest event. */
  readonly lines: readonly LogLine[];
  /** How many lines were completed so far, including those no longer in `lines`. */
  readonly count: number;
  /** The bytes after the last line feed. */
  readonly open?: { readonly after: number; readonly bytes: Uint8Array };
}

export const KEPT_LINES = 100;

/** An unfinished line is cut at this length, since a file without line feeds would make it grow forever. */
const MAX_OPEN_BYTES = 16 * 1024;

export const emptyLog: StepLog = { lines: [], count: 0 };

/** Returns the log with a chunk of output added; the chunk may end anywhere, even within a character. */
export function appendLog(log: StepLog, data: Uint8Array, after: number): StepLog {
  const start = log.open?.after ?? after;
  const bytes = Buffer.concat([log.open?.bytes ?? new Uint8Array(), data]);
  const end = bytes.lastIndexOf(10);
  const complete = end < 0 ? [] : bytes.toString('utf8', 0, end).split('\n');
  const added = complete.map((line, at) => ({ after: at === 0 ? start : after, text: terminalLine(line) }));
  const rest = bytes.subarray(end + 1);
  const open = rest.length === 0 ? undefined : { after: added.length === 0 ? start : after, bytes: shortened(rest) };
  const grown = { lines: [...log.lines.slice(-KEPT_LINES), ...added], count: log.count + added.length, open };
  return open !== undefined && open.bytes.length > MAX_OPEN_BYTES ? closeLog(grown) : grown;
}

/** Returns the log with its unfinished line, if any, completed. */
export function closeLog(log: StepLog): StepLog {
  const line = openLine(log);
  if (line === undefined) return log;
  return { lines: [...log.lines, line], count: log.count + 1 };
}

/** Returns the unfinished line as a terminal shows it now. */
export function openLine({ open }: StepLog): LogLine | undefined {
  return open && { after: open.after, text: terminalLine(Buffer.from(open.bytes).toString('utf8')) };
}

/** Reduces a progress bar that was redrawn many times to its current state. */
function shortened(bytes: Buffer): Uint8Array {
  if (bytes.length <= MAX_OPEN_BYTES || !bytes.includes(13)) return bytes;
  return Buffer.from(`${terminalLine(bytes.toString('utf8'))}\r`);
}
