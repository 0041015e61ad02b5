import { expandWords, type Heredoc, type RunInstruction } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import type { RunMount } from '@tbuild/graph';
import { shellOf, type StageState } from '../stages/stage-state.ts';

/** The command of a RUN. */
export interface RunCommand {
  readonly args: readonly string[];
  /** The mount that holds the script of a heredoc. */
  readonly script?: RunMount;
  /** The heredoc that is the whole command, for the step's name. */
  readonly document?: string;
}

const SCRIPT_DIRECTORY = '/dev/pipes';

/**
 * Returns the argument vector. A heredoc alone is the program: with `#!` a script file, otherwise a text for the shell.
 * Next to other text, the shell gets the heredocs as written.
 */
export function runCommand(state: StageState, { command, heredocs }: RunInstruction): RunCommand {
  if (command.form === 'exec') return { args: command.args };
  const shell = shellOf(state);
  const [only] = heredocs;
  if (only === undefined) return { args: [...shell, command.text] };
  if (!isHeredocAlone(command.text)) {
    const bodies = heredocs.map(({ name, raw }) => `\n${raw}${name}`);
    return { args: [...shell, `${command.text}${bodies.join('')}`] };
  }
  if (!only.content.startsWith('#!')) return { args: [...shell, only.content], document: only.content };
  const path = `${SCRIPT_DIRECTORY}/${only.name}`;
  return { args: [...shell, path], script: scriptMount(only, path), document: only.content };
}

function scriptMount({ name, content }: Heredoc, target: string): RunMount {
  const from = { kind: 'inline', files: [{ name, content, mode: 0o755 }] } as const;
  return { type: 'bind', target, from, source: name, readonly: true };
}

/** Returns whether the start of a heredoc is the whole text. */
function isHeredocAlone(text: string): boolean {
  const word = /^\d*<<-?\s*([^<]+)$/.exec(text.trim())?.[1];
  if (word === undefined) return false;
  try {
    return expandWords(word, () => undefined, { keepUnset: true }).length === 1;
  } catch (error) {
    if (error instanceof TbuildError) return false;
    throw error;
  }
}
