import type { SourceRange } from '@tbuild/errors';
import type { InstructionBase } from './instruction.ts';

/** Returns the range of an instruction's keyword. */
export function keywordRange({ keyword, location: { file, start } }: InstructionBase): SourceRange {
  return { file, start, end: { line: start.line, column: start.column + keyword.length } };
}
