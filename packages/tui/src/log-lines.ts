import { terminalLine } from './terminal-line.ts';

/** A complete line of a step's output. */
export interface LogLine {
  /** Milliseconds after the step's start at which it began to appear. */
  readonly after: number;
  readonly text: string;
}

/** A step's output: its last lines, and how many there were. */
export interface StepLog {
  /** At least the last {@link KEPT_LINES}, and all that the latest event brought. */
  readonly lines: readonly LogLine[];
  /** Complete lines so far, those no longer in `lines` included. */
  readonly count: number;
  /** What came after the last line feed. */
  readonly open?: { readonly after: number; readonly bytes: Uint8Array };
}

export const KEPT_LINES = 100;

/** An unfinished line longer than this is cut, or no end would ever come of a file without line feeds. */
const MAX_OPEN_BYTES = 16 * 1024;

export const emptyLog: StepLog = { lines: [], count: 0 };

/** The log with a piece of output added, which may end anywhere, within a character too. */
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

/** The log with its unfinished line, if any, taken as complete. */
export function closeLog(log: StepLog): StepLog {
  const line = openLine(log);
  if (line === undefined) return log;
  return { lines: [...log.lines, line], count: log.count + 1 };
}

/** The unfinished line as it looks now. */
export function openLine({ open }: StepLog): LogLine | undefined {
  return open && { after: open.after, text: terminalLine(Buffer.from(open.bytes).toString('utf8')) };
}

/** Of a progress bar that was drawn many times over only what it shows now. */
function shortened(bytes: Buffer): Uint8Array {
  if (bytes.length <= MAX_OPEN_BYTES || !bytes.includes(13)) return bytes;
  return Buffer.from(`${terminalLine(bytes.toString('utf8'))}\r`);
}
