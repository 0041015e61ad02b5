import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pickKindFirst, type Random } from '../../support/random.ts';
import type { ProcessResult } from '../../support/run-process.ts';
import { sendKill } from '../case-leftovers.ts';
import type { FaultContext } from '../fault-row.ts';
import type { Operation, Site } from '../operations.ts';
import { rehearse, rehearseCalls } from '../rehearse.ts';
import { runTbuild } from '../run-tbuild.ts';
import { ONE_THREAD, tampering } from '../strace.ts';
import { CHANGES, strikesIn } from './strikes.ts';

export interface Killed {
  readonly result: ProcessResult;
  /** The ids of the threads that there were. */
  readonly threads: ReadonlySet<number>;
}

/** Runs an operation and kills it. */
export type Kill = (site: Site, operation: Operation, context: FaultContext) => Promise<Killed>;

/** Most cases kill at a system call, the others one process or all of them at some time. */
export function wayToKill(random: Random): Kill {
  const choice = random.int(8);
  return choice > 1 ? killAtCall : (...given) => killAtTime(choice === 1, ...given);
}

/** Kills the process that makes a call. An undisturbed run shows which calls there are. */
const killAtCall: Kill = async (site, operation, context) => {
  const { random, directory, count } = context;
  const env = { ...operation.env, ...ONE_THREAD };
  const log = join(directory, 'strace');
  const strikes = strikesIn(await rehearseCalls(site, operation, { calls: CHANGES, log }), site.directory);
  const strike = pickKindFirst(strikes, ({ kind }) => kind, random);
  // It only reads.
  if (strike === undefined) return killAtTime(false, site, operation, context);
  const result = await runTbuild(site, operation.arguments(site), {
    env,
    through: tampering(strike, 'signal=KILL', log),
  });
  const lines = readFileSync(log, 'utf8');
  const isHit = lines.includes('killed by SIGKILL');
  count(isHit ? `at ${strike.kind}` : 'calls not reached');
  const struck = strikesIn(lines, site.directory).find(({ n }) => n === strike.n);
  if (isHit) count(struck?.line === strike.line ? 'at the very call that was chosen' : 'at another call of the name');
  return { result, threads: new Set([...lines.matchAll(/^\d+/gm)].map(([id]) => Number(id))) };
};

async function killAtTime(wholeGroup: boolean, ...[site, operation, { random, count }]: Parameters<Kill>) {
  const { env } = operation;
  const duration = await rehearse(site, async () => {
    const began = Date.now();
    await runTbuild(site, operation.arguments(site), { env });
    return Date.now() - began;
  });
  const threads = new Set<number>();
  const result = await runTbuild(site, operation.arguments(site), {
    env,
    // Becomes the program, in a process group of its own.
    through: ['setsid'],
    onStart(child) {
      const { pid = 0 } = child;
      threads.add(pid);
      // What the command leaves in the background dies with the group.
      const kill = () => (wholeGroup ? sendKill(-pid) : child.kill('SIGKILL'));
      setTimeout(kill, (duration * random.int(1000)) / 1000);
    },
  });
  count(wholeGroup ? 'at a time, with all processes' : 'at a time');
  return { result, threads };
}

/** Returns the control groups that killed processes left. The id of a process may be another one's by now. */
export function groupsOf({ threads }: Killed, groups: readonly string[]): readonly string[] {
  return groups.filter((path) => {
    const id = /tbuild-steps-(\d+)$/.exec(path)?.[1];
    return id !== undefined && threads.has(Number(id)) && !existsSync(`/proc/${id}`);
  });
}
