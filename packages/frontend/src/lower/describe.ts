import { expandWord, type ExpandOptions, type InstructionBase, type Lookup } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { commandLine } from '../step-name.ts';
import type { LoweringContext } from './lowering.ts';

/** Returns an instruction for the name of its step: on one line, with the values of variables. */
export function describeCommand(
  { text }: InstructionBase,
  lookup: Lookup,
  { escape, ...options }: Pick<LoweringContext, 'escape'> & ExpandOptions,
): string {
  const line = commandLine(text, escape);
  try {
    return expandWord(line, lookup, { escape, ...options });
  } catch (error) {
    // For display only, an open quote in a shell text is not an error.
    if (error instanceof TbuildError) return line;
    throw error;
  }
}
