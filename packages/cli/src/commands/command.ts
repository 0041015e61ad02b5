import type { Environment } from '../config/environment.ts';

/** A subcommand. It returns its exit code and writes text for people to `env`. */
export interface Command {
  /** A line for the list of commands. */
  readonly summary: string;
  run(argv: readonly string[], env: Environment): Promise<number>;
}
