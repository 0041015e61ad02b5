/** A place in a text, both numbers counted from 1. Columns count UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A stretch of a source file: from `start` up to, not including, `end`. */
export interface SourceRange {
  /** The file as the user named it, e.g. `Dockerfile`. */
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}
