import type { SourceRange } from '@tbuild/errors';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/**
 * Returns the range of the keyword of the instruction at `location`, or the location itself if there is no instruction.
 * Use it for messages only: it loads a second parser.
 */
export function underline(text: string, location: SourceRange): SourceRange {
  const instruction = instructionAt(text, location);
  return instruction === undefined ? location : toSourceRange(location.file, instruction.getInstructionRange());
}

/** The same as {@link underline} for the argument that equals `word` or is the same path; otherwise for the keyword. */
export function underlineWord(text: string, location: SourceRange, word: string): SourceRange {
  const found = instructionAt(text, location)
    ?.getArguments()
    .find((argument) => plainPath(argument.getValue()) === plainPath(word));
  return found === undefined ? underline(text, location) : toSourceRange(location.file, found.getRange());
}

function instructionAt(text: string, { start }: SourceRange): Instruction | undefined {
  return DockerfileParser.parse(text)
    .getInstructions()
    .find((instruction) => instruction.getRange().start.line + 1 === start.line);
}

function plainPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}

function toSourceRange(file: string, { start, end }: ReturnType<Instruction['getRange']>): SourceRange {
  return {
    file,
    start: { line: start.line + 1, column: start.character + 1 },
    end: { line: end.line + 1, column: end.character + 1 },
  };
}
