import type { Dockerfile, Instruction } from '../instruction.ts';
import type { EditableText, TextEdit } from './text-edits.ts';

/** An instruction and the file that it is in. */
export interface FixPlace {
  readonly instruction: Instruction;
  readonly dockerfile: Dockerfile;
  readonly source: EditableText;
}

/** Returns the edits that correct a finding of one rule at an instruction; none if there is nothing to correct. */
export type Fix = (place: FixPlace) => readonly TextEdit[];
