import type { Position, SourceRange } from '@tbuild/errors';
import type { InstructionBase } from './instruction.ts';

/** Returns the range of an instruction's keyword. */
export function keywordRange({ keyword, location: { file, start } }: InstructionBase): SourceRange {
  return { file, start, end: { line: start.line, column: start.column + keyword.length } };
}

/** Returns the last range of a word between blanks in an instruction as written; undefined if the word is split. */
export function wordRange(
  { text, location: { file, start } }: InstructionBase,
  wanted: string,
): SourceRange | undefined {
  const at = wanted === '' ? -1 : lastWord(text, wanted);
  if (at < 0) return undefined;
  const from = positionIn(text, at, start);
  return { file, start: from, end: { line: from.line, column: from.column + wanted.length } };
}

function lastWord(text: string, wanted: string): number {
  const isBlank = (at: number): boolean => (text[at] ?? ' ').trim() === '';
  let at = text.lastIndexOf(wanted);
  while (at > 0 && !(isBlank(at - 1) && isBlank(at + wanted.length))) at = text.lastIndexOf(wanted, at - 1);
  return at;
}

function positionIn(text: string, offset: number, start: Position): Position {
  const lines = text.slice(0, offset).split('\n');
  const last = lines.at(-1) ?? '';
  if (lines.length === 1) return { line: start.line, column: start.column + last.length };
  return { line: start.line + lines.length - 1, column: last.length + 1 };
}
