import type { Environment } from '../config/environment.ts';

/** One subcommand. It returns its exit code; text for people goes through `env`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  run(argv: readonly string[], env: Environment): Promise<number>;
}
