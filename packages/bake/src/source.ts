import { locate, TbuildError, type Position, type SourceRange } from '@tbuild/errors';

/** A stretch of a text, by its offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A file of a bake: its name as the user gave it, and its text. */
export interface BakeFile {
  readonly name: string;
  readonly text: string;
}

/** A place in a file. */
export interface Place {
  readonly file: BakeFile;
  readonly span: Span;
}

/** Returns the lines and columns of a place, up to the end of its first line. */
export function rangeOf({ file: { name, text }, span }: Place): SourceRange {
  const lineEnd = text.indexOf('\n', span.start);
  const end = lineEnd < 0 ? span.end : Math.max(span.start + 1, Math.min(span.end, lineEnd));
  return { file: name, start: positionOf(text, span.start), end: positionOf(text, end) };
}

/** Returns an error that points to a place. */
export function errorAt(place: Place, message: string, hint?: string): TbuildError {
  return new TbuildError('BAKE_FILE', message, { location: rangeOf(place), hint });
}

/** Runs a function and adds the place to an error that has none. */
export function placed<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw locate(error, rangeOf(place));
  }
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}
