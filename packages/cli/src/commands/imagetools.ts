import { TbuildError } from '@tbuild/errors';
import type { Command } from './command.ts';
import { create } from './imagetools-create.ts';
import { inspect } from './imagetools-inspect.ts';

const commands: Readonly<Record<string, Command>> = { create, inspect };

export const imagetools: Command = {
  summary: 'Merge and show images of registries, without fetching them',
  async run([name = '', ...rest], env) {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command !== undefined) return command.run(rest, env);
    const lines = Object.entries(commands).map(([known, { summary }]) => `  ${known.padEnd(10)}${summary}\n`);
    if (name !== '' && name !== '--help' && name !== '-h')
      throw new TbuildError('USAGE', `There is no imagetools ${JSON.stringify(name)}`, {
        hint: 'Use create or inspect',
      });
    env.stdout.write(`Usage: tbuild imagetools COMMAND\n\n${imagetools.summary}.\n\nCommands:\n${lines.join('')}`);
    return name === '' ? 2 : 0;
  },
};
