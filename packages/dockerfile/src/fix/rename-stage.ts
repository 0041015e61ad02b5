import type { Dockerfile, Instruction, Word } from '../instruction.ts';
import type { FixPlace } from './fix.ts';
import type { EditableText, TextEdit } from './text-edits.ts';

/** Writes the name of a stage in lower case, and where later stages name it. Docker reads it in any case. */
export function renameStage({ instruction, dockerfile, source }: FixPlace): readonly TextEdit[] {
  if (instruction.kind !== 'from') return [];
  const { nameAsWritten: written, name } = instruction;
  if (written === undefined || name === undefined || written.text === name) return [];
  const renamed = source.replace(written.location, written.text, name);
  return renamed.length === 0 ? [] : [...renamed, ...referencesTo(name, instruction, { dockerfile, source })];
}

function referencesTo(
  name: string,
  from: Instruction,
  { dockerfile, source }: { readonly dockerfile: Dockerfile; readonly source: EditableText },
): readonly TextEdit[] {
  const index = dockerfile.stages.findIndex((stage) => stage.from === from);
  const next = dockerfile.stages.findIndex((stage, at) => at > index && stage.name === name);
  const later = dockerfile.stages.slice(index + 1, next < 0 ? undefined : next + 1);
  return later
    .flatMap((stage) => [stage.from, ...stage.instructions])
    .flatMap(wordsOf)
    .filter(({ text }) => text !== name && text.toLowerCase() === name)
    .flatMap(({ text, location }) => source.replace(location, text, name));
}

/** Returns the words of an instruction that may name a stage in any case. FROM takes "Name" for an image. */
function wordsOf(instruction: Instruction): readonly Word[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  return instruction.kind === 'run' ? instruction.mounts.flatMap(({ word }) => fromOf(word)) : [];
}

/** Returns the stage that a mount names, when it is written plainly. */
function fromOf({ text, location: { file, start, end } }: Word): readonly Word[] {
  const [, before = '', name] = /^((?:.*,)?from=)([^,"']+)(?:,|$)/.exec(text) ?? [];
  if (name === undefined || start.line !== end.line) return [];
  const column = start.column + before.length;
  return [
    {
      text: name,
      location: {
        file,
        start: { line: start.line, column },
        end: { line: start.line, column: column + name.length },
      },
    },
  ];
}
