import type { TbuildError } from '@tbuild/errors';
import type { RawFlag } from '../flags.ts';
import type { Heredoc, InstructionBase, Word } from '../instruction.ts';
import { type LogicalLine, type Span, rangeOf } from '../logical-lines.ts';
import { syntaxError } from '../syntax-error.ts';

/** The text after an instruction's flags, split into words by the rule of its keyword. */
export interface Arguments {
  readonly words: readonly Span[];
  /** Whether the words come from a JSON array. */
  readonly json: boolean;
  /** Whether the words are a key and the rest of the line (`ENV key value`). */
  readonly legacy?: boolean;
}

/** An instruction split into words, for the parser of its shape. */
export interface InstructionRequest {
  readonly base: InstructionBase;
  /** The keyword in upper case. */
  readonly name: string;
  readonly line: LogicalLine;
  readonly args: Arguments;
  readonly flags: readonly RawFlag[];
  readonly heredocs: readonly Heredoc[];
}

/** Returns a part of the instruction's line as a word with its location. */
export function toWord(request: InstructionRequest, { text, start, end }: Span): Word {
  return { text, location: rangeOf(request.line, start, end) };
}

/** Creates an error about a whole instruction, or about a part of it. */
export function faultIn(request: InstructionRequest, message: string, at?: Span): TbuildError {
  const location = at === undefined ? request.base.location : rangeOf(request.line, at.start, at.end);
  return syntaxError(message, location);
}
