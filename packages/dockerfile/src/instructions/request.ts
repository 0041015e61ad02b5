import type { Heredoc, InstructionBase, Word } from '../instruction.ts';
import type { RawFlag } from '../flags.ts';
import type { LogicalLine, Span } from '../logical-lines.ts';
import { rangeOf } from '../logical-lines.ts';
import { syntaxError } from '../syntax-error.ts';
import type { TbuildError } from '@tbuild/errors';

/** What stands behind an instruction's flags, cut into words the way its keyword wants. */
export interface Arguments {
  readonly words: readonly Span[];
  /** Whether they come from a JSON array. */
  readonly json: boolean;
  /** Whether they are a key and the rest of the line (`ENV key value`). */
  readonly legacy?: boolean;
}

/** An instruction cut into words, for the parser of its shape. */
export interface InstructionRequest {
  readonly base: InstructionBase;
  /** The keyword in capitals. */
  readonly name: string;
  readonly line: LogicalLine;
  readonly args: Arguments;
  readonly flags: readonly RawFlag[];
  readonly heredocs: readonly Heredoc[];
}

/** A stretch of the instruction's line as a word with its place. */
export function toWord(request: InstructionRequest, { text, start, end }: Span): Word {
  return { text, location: rangeOf(request.line, start, end) };
}

/** An error that concerns a whole instruction, or one stretch of it. */
export function faultIn(request: InstructionRequest, message: string, at?: Span): TbuildError {
  const location = at === undefined ? request.base.location : rangeOf(request.line, at.start, at.end);
  return syntaxError(message, location);
}
