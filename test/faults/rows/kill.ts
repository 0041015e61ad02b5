import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { groupsNaming, processesNaming } from '../../support/leftovers.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import type { Random } from '../../support/random.ts';
import type { ProcessResult } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { makeSite, type Operation, outputsOf, randomOperations, reproducibleBuild, type Site } from '../operations.ts';
import { emptyStore, manifestOf, reference } from '../reference.ts';
import { runGood, runTbuild } from '../run-tbuild.ts';
import { callsOf, pickCall, tampering } from '../strace.ts';

export const row: FaultRow = {
  name: 'kill',
  title: 'A command that is killed at any system call or moment leaves a sound store, and no finished step runs again',
  needs: ['root', 'registry', 'strace'],
  brief: 3,
  run: kill,
};

/** Runs a few commands, kills the last of them, and checks all that must hold afterwards. */
async function kill(context: FaultContext): Promise<void> {
  const { random, directory, signal, count, fail } = context;
  const planned = randomOperations(random, 4);
  const way = wayToKill(random);
  const { digests, archive, emptied } = await reference(context);
  const registry = await sharedService('registry');
  const site = makeSite({ directory: join(directory, 'site'), signal, registry, archive });
  const at = { ...context, directory: site.directory };
  const operations = context.plan(planned);
  for (const operation of operations.slice(0, -1)) await runGood(at, operation.arguments(site));
  const last = operations.at(-1)!;
  const { result, processes } = await way(site, last, context);
  count(result.exitCode === 0 ? 'ended before' : 'kills');

  await eventually(() => processesNaming(site.directory).length === 0);
  await runGood(at, ['fsck']);
  const variant = last.builds ?? 'a';
  const next = await runGood(at, reproducibleBuild(site, variant));
  const digest = manifestOf(next.stderr);
  if (digest !== digests[variant]) fail(`After "${last.name}" the image is ${digest}, expected ${digests[variant]}`);
  if (last.builds !== undefined) requireReuse(result, next, context);
  requireWholeOutputs(site, context);
  const groups = () => processes.flatMap((pid) => groupsNaming(`tbuild-steps-${pid}`));
  // A build that runs steps removes the groups of killed ones.
  if (groups().length > 0) await runGood(at, reproducibleBuild(site, variant, '--no-cache'));
  if (groups().length > 0) fail(`Control groups are left after "${last.name}"`, groups().join('\n'));
  const left = await emptyStore(at);
  const more = left.filter((path) => !emptied.includes(path));
  if (more.length > 0) fail(`After "${last.name}" these files stay in a store that was emptied`, more.join('\n'));
}

interface Killed {
  readonly result: ProcessResult;
  /** The ids of the processes. */
  readonly processes: readonly number[];
}

type Kill = (site: Site, operation: Operation, context: FaultContext) => Promise<Killed>;

/** Most cases kill at a system call, the others one process or all of them at some time. */
function wayToKill(random: Random): Kill {
  const choice = random.int(4);
  return choice > 1 ? killAtCall : (...given) => killAtTime(choice === 1, ...given);
}

const killAtCall: Kill = async (site, operation, { random, directory, count }) => {
  const call = pickCall(await callsOf(operation, site), random);
  if (call === undefined) throw new Error(`"${operation.name}" made no system calls in the store`);
  const log = join(directory, 'strace');
  const through = tampering(call, 'signal=KILL', log);
  const result = await runTbuild(site, operation.arguments(site), { through });
  const lines = readFileSync(log, 'utf8').split('\n');
  count(lines.some((line) => line.includes('killed by SIGKILL')) ? `at ${call.name}` : 'calls not reached');
  return { result, processes: [...new Set(lines.map((line) => Number.parseInt(line, 10)).filter(Boolean))] };
};

async function killAtTime(wholeGroup: boolean, ...[site, operation, { random, count }]: Parameters<Kill>) {
  const moment = ((await durationOf(operation, site)) * random.int(1000)) / 1000;
  const processes: number[] = [];
  const result = await runTbuild(site, operation.arguments(site), {
    // Becomes the program, in a process group of its own.
    through: ['setsid'],
    onStart({ pid = 0 }) {
      processes.push(pid);
      setTimeout(() => sendKill(wholeGroup ? -pid : pid), moment);
    },
  });
  count(wholeGroup ? 'at a time, with all processes' : 'at a time');
  return { result, processes };
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

const durations = new Map<string, number>();

/** Returns how many milliseconds an operation takes in a new site. */
async function durationOf(operation: Operation, { registry, archive, signal }: Site): Promise<number> {
  const known = durations.get(operation.name);
  if (known !== undefined) return known;
  const site = makeSite({ directory: scratchDirectory('duration'), signal, registry, archive });
  const began = Date.now();
  await runTbuild(site, operation.arguments(site));
  const duration = Date.now() - began;
  durations.set(operation.name, duration);
  return duration;
}

/** Every step of the killed build that was reported as done is cached in the next one. */
function requireReuse(killed: ProcessResult, next: ProcessResult, { count, fail }: FaultContext): void {
  const steps = stepsIn(next.stderr);
  for (const [name, status] of stepsIn(killed.stderr)) {
    if (status !== 'done' || !/\] (LINK )?(FROM|RUN|COPY|WORKDIR) /.test(name)) continue;
    const found = steps.get(name);
    if (found === 'done' || found === 'unknown')
      fail(`"${name}" was done before the kill, and ran again`, `${killed.stderr}\n${next.stderr}`);
    count('finished steps reused');
  }
}

/** An archive is there as a whole or not at all. */
function requireWholeOutputs(site: Site, { fail }: FaultContext): void {
  const archive = join(outputsOf(site), 'image.tar');
  if (!existsSync(archive)) return;
  const bytes = readFileSync(archive);
  if (bytes.length < 1024 || !bytes.subarray(-1024).every((byte) => byte === 0)) fail('The archive is cut off');
}
