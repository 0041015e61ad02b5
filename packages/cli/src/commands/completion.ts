import { TbuildError } from '@tbuild/errors';
import { candidatesFor, type Commands } from '../completion/candidates.ts';
import { COMPLETION_SCRIPTS } from '../completion/scripts.ts';
import { valuesThere } from '../completion/values.ts';
import { parseArgs, type Flags } from '../flags/args.ts';
import type { Command } from './command.ts';

const flags = { help: { kind: 'switch', short: 'h', help: 'Show this text' } } as const satisfies Flags;

export const completion: Command = {
  summary: 'Print a script that completes command lines in bash, zsh or fish',
  usage: 'completion bash|zsh|fish',
  flags,
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    const [shell = ''] = positional;
    if (given.help !== true && isShell(shell)) {
      env.stdout.write(COMPLETION_SCRIPTS[shell]);
      return 0;
    }
    if (given.help !== true) throw new TbuildError('USAGE', `Usage: tbuild ${completion.usage}`);
    env.stdout.write(`Usage: tbuild ${completion.usage}\n\n${completion.summary}.\n`);
    return 0;
  },
};

function isShell(word: string): word is keyof typeof COMPLETION_SCRIPTS {
  return Object.hasOwn(COMPLETION_SCRIPTS, word);
}

/** Makes the command that the scripts call with the words of a command line. */
export function completeCommand(commands: Commands): Command {
  return {
    summary: 'List what may come next in a command line',
    usage: '__complete WORD...',
    async run(words, env) {
      const found = await candidatesFor(words, {
        commands,
        values: (kind, given) => valuesThere(kind, given, env),
      });
      const lines =
        typeof found === 'string'
          ? [`:${found}`]
          : found.map(({ word, help }) => (help === undefined ? word : `${word}\t${help}`));
      env.stdout.write(lines.map((line) => `${line}\n`).join(''));
      return 0;
    },
  };
}
