import type { Environment } from '../config/environment.ts';
import { describeFlags, type Flags } from '../flags/args.ts';

/** A subcommand. It returns its exit code and writes text for people to `env`. */
export interface Command {
  /** A line for the list of commands. */
  readonly summary: string;
  /** The usage after the program's name, e.g. `tag [OPTIONS] IMAGE NAME`. */
  readonly usage: string;
  readonly flags?: Flags;
  /** The commands of a group. */
  readonly commands?: Readonly<Record<string, () => Promise<Command>>>;
  run(argv: readonly string[], env: Environment): Promise<number>;
}

/** Returns the help text of a command. */
export function helpOf({ usage, summary, flags }: Pick<Command, 'usage' | 'summary' | 'flags'>): string {
  return `Usage: tbuild ${usage}\n\n${summary}.\n\n${describeFlags(flags ?? {})}\n`;
}
