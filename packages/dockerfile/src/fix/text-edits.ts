import type { Position, SourceRange } from '@tbuild/errors';

/** A part of a text and what to put in its place. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text whose parts are found by the positions of a parser. */
export interface EditableText {
  readonly text: string;
  /** Returns the offset of a position. */
  offsetOf(position: Position): number;
  /** Returns an edit that replaces a range, if the range holds `written`: a continued line may tear a word apart. */
  replace(range: SourceRange, written: string, text: string): readonly TextEdit[];
}

export function editableText(text: string): EditableText {
  // Columns do not count a byte order mark.
  const starts = [text.startsWith('\ufeff') ? 1 : 0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const offsetOf = ({ line, column }: Position): number => (starts[line - 1] ?? text.length) + column - 1;
  return {
    text,
    offsetOf,
    replace(range, written, replacement) {
      const [start, end] = [offsetOf(range.start), offsetOf(range.end)];
      return text.slice(start, end) === written ? [{ start, end, text: replacement }] : [];
    },
  };
}

/** Returns the text with edits that do not overlap. Everything outside them stays. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let [result, at] = ['', 0];
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}
