import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { program } from './program.ts';
import { type ProcessResult, runProcess } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';
import { withoutLimits } from './without-limits.ts';

export interface Stop {
  /** The name of a system call. */
  readonly call: string;
  /** A path that it uses. */
  readonly path: string;
  readonly store: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs tbuild, stops it as soon as it has made a call for the first time, and lets it go on after `meanwhile`. Needs strace. */
export async function runStoppedAt(
  { call, path, store, env }: Stop,
  args: readonly string[],
  meanwhile: () => Promise<unknown>,
): Promise<ProcessResult> {
  const home = scratchDirectory('stopped');
  const log = join(home, 'strace');
  appendFileSync(log, '');
  const stop = ['-P', path, '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGSTOP:when=1`];
  const running = runProcess('strace', ['-f', '-A', '-o', log, ...stop, program, ...args], {
    env: { HOME: home, TBUILD_ROOT: store, ...withoutLimits, ...env },
  });
  const stopped = (): string | undefined => /^(\d+) +--- stopped by SIGSTOP/m.exec(readFileSync(log, 'utf8'))?.[1];
  let hasEnded = false;
  void running.then(() => (hasEnded = true));
  await eventually(() => hasEnded || stopped() !== undefined);
  const thread = stopped();
  if (thread === undefined) throw new Error(`tbuild ${args.join(' ')} makes no call ${call} on "${path}"`);
  try {
    await meanwhile();
  } finally {
    process.kill(Number(thread), 'SIGCONT');
  }
  return running;
}
