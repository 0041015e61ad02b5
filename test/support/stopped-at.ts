import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Runs tbuild, stops it as soon as it has made a call, and lets it go on after `meanwhile`. Needs strace. */
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
  let hasEnded = false;
  void running.finally(() => (hasEnded = true)).catch(() => {});
  await eventually(() => hasEnded || stoppedIn(log).length > 0);
  if (stoppedIn(log).length === 0) throw new Error(`tbuild ${args.join(' ')} makes no call ${call} on "${path}"`);
  try {
    await meanwhile();
  } finally {
    void goOn(log, () => hasEnded);
  }
  return running;
}

/** Lets everything go on that is stopped: strace stops each thread at its first call. */
async function goOn(log: string, hasEnded: () => boolean): Promise<void> {
  for (; !hasEnded(); await sleep(50))
    for (const thread of stoppedIn(log)) {
      try {
        process.kill(thread, 'SIGCONT');
      } catch {
        // It has ended.
      }
    }
}

function stoppedIn(log: string): readonly number[] {
  return [...readFileSync(log, 'utf8').matchAll(/^(\d+) +--- stopped by SIGSTOP/gm)].map(([, thread]) =>
    Number(thread),
  );
}
