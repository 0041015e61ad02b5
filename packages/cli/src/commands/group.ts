import { suggest, TbuildError } from '@tbuild/errors';
import { commandFirst } from './command-first.ts';
import type { Command } from './command.ts';

export interface CommandGroup {
  /** The name of the group, as in `tbuild imagetools create`. */
  readonly name: string;
  readonly summary: string;
  readonly commands: Readonly<Record<string, () => Promise<Command>>>;
  /** Shorter names of commands. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Commands of other programs, each with what to use instead. */
  readonly foreign?: Readonly<Record<string, string>>;
}

/** Makes a command of several, whose first word selects one. */
export function commandGroup({ name: group, summary, commands, aliases = {}, foreign = {} }: CommandGroup): Command {
  return {
    summary,
    usage: `${group} COMMAND`,
    commands,
    async run(argv, env) {
      const [word = '', ...rest] = commandFirst(argv, { ...commands, ...aliases });
      const name = valueOf(aliases, word) ?? word;
      const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
      if (load !== undefined) return (await load()).run(rest, env);
      const known = Object.keys(commands);
      if (name !== '' && name !== '--help' && name !== '-h') {
        const near = suggest(name, known);
        throw new TbuildError('USAGE', `Unknown command ${JSON.stringify(`${group} ${name}`)}`, {
          hint: valueOf(foreign, name) ?? (near === undefined ? `Use ${known.join(', ')}` : `Did you mean ${near}?`),
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

function valueOf(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
