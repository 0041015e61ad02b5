import { suggest, TbuildError } from '@tbuild/errors';
import { commandFirst } from './command-first.ts';
import type { Command } from './command.ts';

export interface CommandGroup {
  /** The name of the group, as in `tbuild imagetools create`. */
  readonly name: string;
  readonly summary: string;
  readonly commands: Readonly<Record<string, () => Promise<Command>>>;
}

/** Makes a command of several, whose first word selects one. */
export function commandGroup({ name: group, summary, commands }: CommandGroup): Command {
  return {
    summary,
    usage: `${group} COMMAND`,
    commands,
    async run(argv, env) {
      const [name = '', ...rest] = commandFirst(argv, commands);
      const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
      if (load !== undefined) return (await load()).run(rest, env);
      const known = Object.keys(commands);
      if (name !== '' && name !== '--help' && name !== '-h') {
        const near = suggest(name, known);
        throw new TbuildError('USAGE', `Unknown command ${JSON.stringify(`${group} ${name}`)}`, {
          hint: near === undefined ? `Use ${known.join(', ')}` : `Did you mean ${near}?`,
        });
      }
      const rows = await Promise.all(
        Object.entries(commands).map(async ([one, open]) => `  ${one.padEnd(10)}${(await open()).summary}\n`),
      );
      env.stdout.write(`Usage: tbuild ${group} COMMAND\n\n${summary}.\n\nCommands:\n${rows.join('')}`);
      return name === '' ? 2 : 0;
    },
  };
}
