import { hasCode } from '@tbuild/errors';
import type { CheckOptions } from './check-options.ts';
import { readDirectives } from './directives.ts';
import type { Dockerfile, Instruction, InstructionBase, LintWarning, StageInstruction } from './instruction.ts';
import { lintDockerfile, lintInstructions } from './lint.ts';
import { type Escape, type LineReader, createLineReader } from './logical-lines.ts';
import { readInstruction, type OnInstruction } from './read-instruction.ts';
import { groupStages } from './stages.ts';
import { syntaxError } from './syntax-error.ts';

/**
 * Parses a Dockerfile. Throws DOCKERFILE_SYNTAX with a location and often a hint for a text that Docker refuses without
 * looking at values. Expands nothing and reads nothing but the text.
 */
export function parseDockerfile(text: string, file = 'Dockerfile'): Dockerfile {
  const { directives, reader } = readDirectives(text, file);
  const instructions = readInstructions(reader, directives.escape);
  const at = { file, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  const first = instructions[0];
  if (first === undefined) throw syntaxError('File with no instructions', at, 'Begin it with FROM');
  const { globalArgs, stages } = groupStages(instructions);
  if (stages.length === 0) throw syntaxError('Dockerfile contains no stages to build', first.location, 'Add a FROM');
  const warnings = lintDockerfile({ directives, globalArgs, stages });
  return { file, text, directives, globalArgs, stages, warnings };
}

/**
 * Returns the warnings before the first error of a text, to show with the error, and that of a MAINTAINER with the error.
 * `options` replace those of the file's `# check=` directive.
 */
export function lintBeforeError(text: string, file: string, options?: CheckOptions): LintWarning[] {
  const read: Instruction[] = [];
  try {
    const { directives, reader } = readDirectives(text, file);
    const begun: { readonly name: string; readonly base: InstructionBase }[] = [];
    try {
      readInto(read, reader, { ...directives, onInstruction: (name, base) => void begun.push({ name, base }) });
    } catch (error) {
      if (!hasCode(error, 'DOCKERFILE_SYNTAX')) throw error;
      const failed = begun[read.length];
      if (failed?.name === 'MAINTAINER') read.push(emptyMaintainer(failed.base));
    }
    return lintInstructions(read, directives, options);
  } catch (error) {
    if (hasCode(error, 'DOCKERFILE_SYNTAX')) return [];
    throw error;
  }
}

/**
 * Parses one instruction on its own, such as an ONBUILD trigger in an image's config. `line` is the number of its first
 * line in `file`. Throws DOCKERFILE_SYNTAX, also for FROM and for a second instruction.
 */
export function parseInstruction(
  text: string,
  options: { readonly file: string; readonly escape: Escape; readonly line?: number },
): StageInstruction {
  const reader = createLineReader(text, options.file, { offset: 0, line: options.line ?? 1 });
  const [instruction, second] = readInstructions(reader, options.escape);
  if (instruction === undefined || second !== undefined) {
    const { line } = reader;
    const location = { file: options.file, start: { line: options.line ?? 1, column: 1 }, end: { line, column: 1 } };
    throw syntaxError('A trigger must be a single instruction', second?.location ?? location);
  }
  if (instruction.kind === 'from') {
    throw syntaxError("FROM isn't allowed as an ONBUILD trigger", instruction.location);
  }
  return instruction;
}

function readInstructions(reader: LineReader, escape: Escape): Instruction[] {
  const instructions: Instruction[] = [];
  readInto(instructions, reader, { escape });
  return instructions;
}

/** Docker warns of a MAINTAINER before it looks at its argument. */
function emptyMaintainer(base: InstructionBase): Instruction {
  return { kind: 'maintainer', ...base, value: { text: '', location: base.location } };
}

function readInto(
  instructions: Instruction[],
  reader: LineReader,
  { escape, onInstruction }: { readonly escape: Escape; readonly onInstruction?: OnInstruction },
): void {
  for (;;) {
    const instruction = readInstruction(reader, escape, onInstruction);
    if (instruction === undefined) return;
    instructions.push(instruction);
  }
}
