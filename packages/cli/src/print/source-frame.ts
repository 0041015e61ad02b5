import { type SourceRange, visible } from '@tbuild/errors';

export interface SourceFrameOptions {
  /** The words to underline, when they are on one line. */
  readonly token?: SourceRange;
  /** The width of the terminal, if that is known. */
  readonly columns?: number;
}

/**
 * Returns the lines around a place as Docker's builder shows them: two before and after a single line, one around
 * several. Marks the lines of the place, underlines its words, and masks credentials in URLs. Ends with a line feed.
 */
export function sourceFrame(
  text: string,
  { start, end }: SourceRange,
  { token, columns }: SourceFrameOptions = {},
): string {
  const lines = visible(withMaskedCredentials(text).replaceAll('\r\n', '\n')).split('\n');
  const last = Math.max(start.line, end.column === 1 && end.line > start.line ? end.line - 1 : end.line);
  const around = last === start.line ? 2 : 1;
  const first = Math.max(1, start.line - around);
  const rows = lines.slice(first - 1, last + around).flatMap((line, index) => {
    const number = first + index;
    const mark = number >= start.line && number <= last ? '>>>' : '   ';
    const underlined = token?.start.line === number ? token : undefined;
    const shown = cut(line, roomFor(line, columns), underlined?.start.column);
    const row = ` ${String(number).padStart(3)} | ${mark} ${shown.text}`;
    return underlined === undefined ? [row.trimEnd()] : [row.trimEnd(), underline(shown, underlined)];
  });
  const rule = '-'.repeat(20);
  return `${[rule, ...rows, rule].join('\n')}\n`;
}

/**
 * Long lines are cut here: a terminal shows ten lines of this, while a generated line may have hundreds of kilobytes.
 */
const LONGEST_LINE = 800;

/** In columns: what stands before each line, and what is shown even on a narrower terminal. */
const MARGIN = 11;
const LEAST = 20;

/** How many characters before a word are shown where the beginning of its line is cut off. */
const BEFORE = 10;

/** Returns how many characters of a line there is room for. A tab takes up to eight columns. */
function roomFor(line: string, columns: number | undefined): number {
  if (!columns) return LONGEST_LINE;
  const tabs = line.split('\t').length - 1;
  return Math.min(LONGEST_LINE, Math.max(LEAST, columns - MARGIN - 7 * tabs));
}

/** A line as it is shown, without `skipped` characters of its beginning. */
interface CutLine {
  readonly text: string;
  readonly skipped: number;
}

/** Cuts a line so that what stands at a column is shown. */
function cut(line: string, room: number, column = 1): CutLine {
  if (line.length <= room) return { text: line, skipped: 0 };
  const skipped = column < room ? 0 : Math.min(column - 1 - BEFORE, line.length - room);
  const text = line.slice(skipped, skipped + room);
  const start = skipped === 0 ? text : `…${text.slice(1)}`;
  return { text: skipped + room < line.length ? `${start.slice(0, -1)}…` : start, skipped };
}

/** Replaces users and passwords in URLs by as many asterisks, so that columns stay. */
function withMaskedCredentials(text: string): string {
  return text.replace(/(?<=:\/\/)[^\s/?#]*(?=@)/g, (login) => '*'.repeat(login.length));
}

function underline({ text, skipped }: CutLine, { start, end }: SourceRange): string {
  const from = start.column - 1 - skipped;
  const to = end.line > start.line ? text.length : Math.min(end.column - 1 - skipped, text.length);
  const blanks = text.slice(0, from).replace(/[^\t]/g, ' ');
  return `     |     ${blanks}${'^'.repeat(Math.max(1, to - from))}`;
}
