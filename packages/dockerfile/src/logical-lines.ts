import type { Position, SourceRange } from '@tbuild/errors';
import { syntaxError } from './syntax-error.ts';
import { skipSpaces } from './whitespace.ts';

/** The character that continues a line and escapes the next character. */
export type Escape = '\\' | '`';

/** A part of a logical line: its text and its offsets. */
export interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The line of an instruction: continuations are joined, comments and empty lines dropped. */
export interface LogicalLine {
  /** Without the blanks before the keyword. Blanks before continued lines stay. */
  readonly text: string;
  readonly file: string;
  /** The origins of the pieces of `text`, by rising offset. */
  readonly pieces: readonly Piece[];
  /** The comment lines directly above. */
  readonly comments: readonly string[];
  /** The numbers of the empty lines inside. */
  readonly emptyLines: readonly number[];
  /** The start of the line. An empty continued line before the keyword belongs to it. */
  readonly start: Position;
  readonly startOffset: number;
}

interface Piece {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** One line of the file: the offsets of its text, and of the next line. */
export interface PhysicalLine {
  readonly number: number;
  readonly start: number;
  /** The end of the text, before the line break and any carriage returns. */
  readonly end: number;
  readonly next: number;
}

/** The reading position. Heredoc bodies are read from the same cursor as lines. */
export interface LineReader {
  readonly text: string;
  readonly file: string;
  offset: number;
  /** The number of the line at `offset`. */
  line: number;
  /** The last line that belongs to the instruction, for its range. */
  lastLine: PhysicalLine;
}

// Docker reads lines with a buffer of 64 KiB that must also hold the line break.
const MAX_LINE_BYTES = 65_535;

// Most lines have neither comments nor empty lines. A list for each would dominate the allocations of the parser.
const NONE: readonly never[] = [];

/** Creates a reader of `text` that starts at `offset`, which is on line `line`. */
export function createLineReader(text: string, file: string, at = { offset: 0, line: 1 }): LineReader {
  const { offset, line } = at;
  return { text, file, offset, line, lastLine: { number: line, start: offset, end: offset, next: offset } };
}

/** Reads the next line of the file; undefined at the end. Throws for lines that are longer than Docker's limit. */
export function readPhysicalLine(reader: LineReader): PhysicalLine | undefined {
  const { text, offset: start } = reader;
  if (start >= text.length) return undefined;
  const lineFeed = text.indexOf('\n', start);
  const next = lineFeed < 0 ? text.length : lineFeed + 1;
  let end = lineFeed < 0 ? text.length : lineFeed;
  const number = reader.line;
  if (end - start > MAX_LINE_BYTES / 3 && Buffer.byteLength(text.slice(start, end)) > MAX_LINE_BYTES) {
    throw syntaxError(`Line is longer than the allowed ${MAX_LINE_BYTES} bytes`, {
      file: reader.file,
      start: { line: number, column: 1 },
      end: { line: number, column: 81 },
    });
  }
  while (end > start && text.charCodeAt(end - 1) === 0x0d) end--;
  reader.offset = next;
  reader.line++;
  reader.lastLine = { number, start, end, next };
  return reader.lastLine;
}

/** Reads the line of the next instruction; undefined if only comments and blank lines are left. */
export function readLogicalLine(reader: LineReader, escape: Escape): LogicalLine | undefined {
  let comments: string[] | undefined;
  for (;;) {
    const line = readPhysicalLine(reader);
    if (line === undefined) return undefined;
    const start = skipSpaces(reader.text, line.start, line.end);
    if (start === line.end) {
      comments = undefined;
    } else if (reader.text[start] === '#') {
      const comment = reader.text.slice(start + 1, line.end).trim();
      if (comment === '') comments = undefined;
      else if (comments === undefined) comments = [comment];
      else comments.push(comment);
    } else {
      return readContinuations(reader, escape, { line, start, comments: comments ?? NONE });
    }
  }
}

function readContinuations(
  reader: LineReader,
  escape: Escape,
  first: { readonly line: PhysicalLine; readonly start: number; readonly comments: readonly string[] },
): LogicalLine {
  const { text: source, file } = reader;
  const { line: firstLine, start: startOffset, comments } = first;
  const start = { line: firstLine.number, column: startOffset - firstLine.start + 1 };
  const end = continuationStart(source, { start: startOffset, end: firstLine.end }, escape);
  let text = source.slice(startOffset, end ?? firstLine.end);
  const pieces: Piece[] = [{ offset: 0, line: start.line, column: start.column }];
  if (end === undefined) return { text, file, pieces, comments, emptyLines: NONE, start, startOffset };
  const emptyLines: number[] = [];
  let last = reader.lastLine;
  for (let continued = true; continued;) {
    const line = readPhysicalLine(reader);
    if (line === undefined) break;
    const from = skipSpaces(source, line.start, line.end);
    if (from === line.end) emptyLines.push(line.number);
    else if (source[from] !== '#') {
      const stop = continuationStart(source, line, escape);
      pieces.push({ offset: text.length, line: line.number, column: 1 });
      text += source.slice(line.start, stop ?? line.end);
      continued = stop !== undefined;
      last = line;
    }
  }
  reader.lastLine = last;
  return { text, file, pieces, comments, emptyLines, start, startOffset };
}

/** Returns the offset of the escape character that continues this line, or undefined if the line ends here. */
function continuationStart(
  text: string,
  { start, end }: Pick<PhysicalLine, 'start' | 'end'>,
  escape: Escape,
): number | undefined {
  let at = end - 1;
  while (at >= start && (text[at] === ' ' || text[at] === '\t')) at--;
  if (at < start || text[at] !== escape) return undefined;
  // Before an escape character, Docker looks back one character only.
  return at > start && text[at - 1] === escape ? undefined : at;
}

/** Returns the range in the file of `start` up to `end`, which are offsets in the logical line. */
export function rangeOf(line: LogicalLine, start: number, end: number): SourceRange {
  const from = positionOf(line, start);
  if (end <= start) return { file: line.file, start: from, end: from };
  const last = positionOf(line, end - 1);
  return { file: line.file, start: from, end: { line: last.line, column: last.column + 1 } };
}

function positionOf(line: LogicalLine, offset: number): Position {
  let low = 0;
  let high = line.pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((line.pieces[middle]?.offset ?? Infinity) <= offset) low = middle;
    else high = middle - 1;
  }
  const piece = line.pieces[low];
  if (piece === undefined) throw new Error('A logical line has at least one piece');
  return { line: piece.line, column: piece.column + offset - piece.offset };
}
