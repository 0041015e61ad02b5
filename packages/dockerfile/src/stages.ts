import type { ArgInstruction, Instruction, Stage, StageInstruction } from './instruction.ts';
import { syntaxError } from './syntax-error.ts';

/** Splits instructions into stages and those before the first FROM, where only ARG is allowed. */
export function groupStages(instructions: Iterable<Instruction>): {
  globalArgs: ArgInstruction[];
  stages: Stage[];
} {
  const globalArgs: ArgInstruction[] = [];
  const stages: (Stage & { instructions: StageInstruction[] })[] = [];
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.kind === 'from') {
      const { name } = instruction;
      stages.push({ index: stages.length, from: instruction, name, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else {
      const hint = 'Begin the file with FROM: only ARG may come before it';
      throw syntaxError('No build stage in current context', instruction.location, hint);
    }
  }
  return { globalArgs, stages };
}
