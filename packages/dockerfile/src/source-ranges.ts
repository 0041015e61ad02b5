import type { SourceRange } from '@tbuild/errors';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/** A part of an instruction that a message can point to. */
export type Token =
  | { readonly kind: 'keyword' }
  | { readonly kind: 'flag'; readonly name: string }
  /** Counted from 0, without flags. */
  | { readonly kind: 'argument'; readonly index: number };

/** The ranges of an instruction's parts. */
export interface InstructionRanges {
  readonly keyword: SourceRange;
  readonly flags: readonly { readonly name: string; readonly range: SourceRange }[];
  readonly arguments: readonly { readonly text: string; readonly range: SourceRange }[];
}

/**
 * Returns the narrowest range for the token of the instruction at `location`, or the location itself if the instruction
 * or the token is not found. Use it for messages only: it loads a second parser.
 */
export function underline(text: string, location: SourceRange, token: Token = { kind: 'keyword' }): SourceRange {
  const ranges = rangesAt(text, location);
  if (ranges === undefined) return location;
  if (token.kind === 'keyword') return ranges.keyword;
  if (token.kind === 'argument') return ranges.arguments[token.index]?.range ?? location;
  return ranges.flags.find((flag) => flag.name === token.name)?.range ?? location;
}

/** The same as {@link underline} for the argument that equals `word` or is the same path; otherwise for the keyword. */
export function underlineWord(text: string, location: SourceRange, word: string): SourceRange {
  const ranges = rangesAt(text, location);
  if (ranges === undefined) return location;
  const found = ranges.arguments.find((argument) => plainPath(argument.text) === plainPath(word));
  return found?.range ?? ranges.keyword;
}

function plainPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}

/** Returns the ranges of all instructions, in order, for outlines and editors. */
export function instructionRanges(text: string, file = 'Dockerfile'): InstructionRanges[] {
  return DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => toRanges(instruction, file));
}

function rangesAt(text: string, { file, start }: SourceRange): InstructionRanges | undefined {
  const found = DockerfileParser.parse(text)
    .getInstructions()
    .find((instruction) => instruction.getRange().start.line + 1 === start.line);
  return found === undefined ? undefined : toRanges(found, file);
}

function toRanges(instruction: Instruction, file: string): InstructionRanges {
  const flags = flagsOf(instruction, file);
  const args = instruction.getArguments().map((argument) => ({
    text: argument.getValue(),
    range: toSourceRange(file, argument.getRange()),
  }));
  return {
    keyword: toSourceRange(file, instruction.getInstructionRange()),
    flags,
    arguments: args.filter(({ range }) => !flags.some((flag) => startsAt(flag.range, range))),
  };
}

function flagsOf(instruction: Instruction, file: string): InstructionRanges['flags'] {
  if (!isModifiable(instruction)) return [];
  return instruction.getFlags().map((flag) => ({ name: flag.getName(), range: toSourceRange(file, flag.getRange()) }));
}

interface Modifiable {
  getFlags(): readonly { getName(): string; getRange(): LineRange }[];
}

interface LineRange {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

function isModifiable(instruction: object): instruction is Modifiable {
  return 'getFlags' in instruction && typeof instruction.getFlags === 'function';
}

function startsAt(a: SourceRange, b: SourceRange): boolean {
  return a.start.line === b.start.line && a.start.column === b.start.column;
}

function toSourceRange(file: string, { start, end }: LineRange): SourceRange {
  return {
    file,
    start: { line: start.line + 1, column: start.character + 1 },
    end: { line: end.line + 1, column: end.character + 1 },
  };
}
