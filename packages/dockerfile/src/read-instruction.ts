import { TbuildError } from '@tbuild/errors';
import { splitFlags, type RawFlag } from './flags.ts';
import { findHeredocMarks, readHeredocs } from './heredoc.ts';
import type { Instruction, InstructionBase } from './instruction.ts';
import type { Arguments } from './instructions/request.ts';
import { KEYWORDS, shapeOf } from './instructions/table.ts';
import {
  type Escape,
  type LineReader,
  type LogicalLine,
  type Span,
  rangeOf,
  readLogicalLine,
} from './logical-lines.ts';
import { didYouMean, syntaxError } from './syntax-error.ts';
import { isBlank } from './whitespace.ts';
import { span, trimmed } from './words.ts';

/** Receives the keyword in capitals and the base of an instruction before its arguments are parsed. */
export type OnInstruction = (name: string, base: InstructionBase) => void;

/** The next instruction, heredoc bodies included, or undefined at the end of the file. */
export function readInstruction(
  reader: LineReader,
  escape: Escape,
  onInstruction?: OnInstruction,
): Instruction | undefined {
  const line = readLogicalLine(reader, escape);
  if (line === undefined) return undefined;
  const cut = cutInstruction(line, trimmed(line.text, 0, line.text.length), escape);
  const heredocs = cut.heredocs ? readHeredocs(reader, line, findHeredocMarks(line.text)) : [];
  const base = describe(reader, line, cut.keyword);
  const { name } = cut;
  onInstruction?.(name, base);
  const shape = shapeOf(name);
  if (shape === undefined)
    throw unknownInstruction(cut.keyword, line, { above: reader.text.slice(0, line.startOffset) });
  try {
    return shape.parse({ base, name, line, args: cut.args, flags: cut.flags, heredocs });
  } catch (error) {
    throw withAdvice(error, { args: cut.args, usage: `${name} ${shape.usage}` });
  }
}

function unknownInstruction({ text, start, end }: Span, line: LogicalLine, { above }: { above: string }): TbuildError {
  const meant = didYouMean(text, KEYWORDS);
  const joined = meant === '' ? KEYWORDS.find((keyword) => text.startsWith(keyword)) : undefined;
  const isContinued = /(?:&&|\||;)$/.test(above.trimEnd());
  const hint =
    joined !== undefined
      ? `Put a space after ${joined}`
      : isContinued
        ? 'End the line above with "\\" to continue it here'
        : undefined;
  return syntaxError(`Unknown instruction: ${text}${meant}`, rangeOf(line, start, end), hint);
}

/** Adds a hint to an error about an instruction without arguments, or with a comment among them. */
function withAdvice(error: unknown, { args, usage }: { readonly args: Arguments; readonly usage: string }): unknown {
  if (!(error instanceof TbuildError)) return error;
  if (args.words.some(({ text }) => text.startsWith('#')))
    return Object.assign(error, { hint: 'Put the comment on its own line' });
  return error.hint === undefined && args.words.length === 0 ? Object.assign(error, { hint: `Write ${usage}` }) : error;
}

interface CutInstruction {
  readonly keyword: Span;
  /** The keyword in capitals. */
  readonly name: string;
  readonly flags: readonly RawFlag[];
  readonly args: Arguments;
  /** Whether `<<` announces heredocs here. */
  readonly heredocs: boolean;
}

/** Cuts an instruction into keyword, flags and words; of an ONBUILD the trigger is cut the same way. */
function cutInstruction(line: LogicalLine, whole: Span, escape: Escape): CutInstruction {
  let end = whole.start;
  while (end < whole.end && !isBlank(line.text.charCodeAt(end))) end++;
  const keyword = span(line.text, whole.start, end);
  const { flags, rest } = splitFlags(line.text, end, whole.end);
  const name = shapeOf(keyword.text) === undefined ? keyword.text.toUpperCase() : keyword.text;
  const shape = shapeOf(name);
  if (shape === undefined) return { keyword, name, flags, args: { words: [], json: false }, heredocs: false };
  if (shape.lex === 'instruction') {
    if (rest.text === '') return { keyword, name, flags, args: { words: [], json: false }, heredocs: false };
    const trigger = cutInstruction(line, rest, escape);
    const nested = trigger.name === 'ONBUILD';
    return {
      keyword,
      name,
      flags,
      args: { words: [trigger.keyword], json: false },
      heredocs: !nested && trigger.heredocs,
    };
  }
  const args = shape.lex(line, rest, escape);
  return { keyword, name, flags, args, heredocs: shape.heredocs === true && !args.json };
}

function describe(reader: LineReader, line: LogicalLine, keyword: Span): InstructionBase {
  const { number, start, end: offset } = reader.lastLine;
  const end = { line: number, column: offset - start + 1 };
  return {
    text: reader.text.slice(line.startOffset, offset),
    location: { file: line.file, start: line.start, end },
    line: line.text.trim(),
    emptyLines: line.emptyLines,
    keyword: keyword.text,
    comments: line.comments,
  };
}
