import type { FromInstruction, RunInstruction, Stage, StageInstruction } from '@tbuild/dockerfile';

/** What a line reads, and with what its step runs again. */
export type Input =
  | { readonly kind: 'image'; readonly name: string; readonly isPinned: boolean }
  | { readonly kind: 'stage'; readonly name: string }
  | { readonly kind: 'files'; readonly sources: readonly string[]; readonly count?: number; readonly bytes?: number }
  | { readonly kind: 'remote'; readonly url: string }
  | { readonly kind: 'argument'; readonly name: string }
  /** Its value is not part of a key. */
  | { readonly kind: 'secret'; readonly id: string };

/** What an instruction cost when it ran last, as far as a record and its image tell. */
export interface Cost {
  readonly milliseconds?: number;
  /** The size of its layer. */
  readonly bytes?: number;
}

/** An instruction of a Dockerfile, with everything that is known of it. */
export interface ExplainedLine {
  readonly line: number;
  readonly stage: Stage;
  readonly instruction: FromInstruction | StageInstruction;
  readonly inputs: readonly Input[];
  readonly cost: Cost;
}

/** A change of the Dockerfile that saves time or space. */
export interface Advice {
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

export function countedFiles(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

/** A simple command of a RUN in the shell form, as words. */
export function commandsOf({ command, script }: RunInstruction): readonly (readonly string[])[] {
  if (command.form === 'exec') return [command.args];
  return (script?.content ?? command.text)
    .split(/&&|\|\||[;\n|]/)
    .map((one) =>
      one
        .trim()
        .split(/\s+/)
        .filter((word, at) => word !== '' && !(at === 0 && /^\w+=/.test(word))),
    )
    .filter((words) => words.length > 0);
}
