import { program } from './program.ts';
import { startTerminal, type Terminal, type TerminalOptions } from './terminal.ts';
import { ordinaryUser } from './user.ts';
import { withoutLimits } from './without-limits.ts';

export interface TbuildTerminalOptions extends TerminalOptions {
  readonly store: string;
  readonly asUser?: boolean;
}

/** Starts the program in a terminal, with a store of its own. */
export function startTbuild(
  args: readonly string[],
  { store, asUser = false, ...options }: TbuildTerminalOptions,
): Promise<Terminal> {
  const env = { TBUILD_ROOT: store, ...withoutLimits, CI: '', ...options.env };
  if (!asUser) return startTerminal([program, ...args], { ...options, env });
  const { name, home } = ordinaryUser();
  const command = ['setpriv', '--reuid', name, '--regid', name, '--init-groups', program, ...args];
  return startTerminal(command, { ...options, env: { ...env, HOME: home, USER: name } });
}
