import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { groupsNamed, processesNaming } from '../../support/leftovers.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { type ProcessResult, runChecked } from '../../support/run-process.ts';
import { sharedService } from '../../support/services.ts';
import { ordinaryUser } from '../../support/user.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { groupsOf, wayToKill } from '../kill/ways.ts';
import { isArchiveCutOff, makeSite, randomOperations, reproducibleBuild } from '../operations.ts';
import { manifestOf, reference, requireEmptied } from '../reference.ts';
import { runGood } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'kill',
  title: 'A command that is killed at any system call or moment leaves a sound store, and no finished step runs again',
  needs: ['root', 'user', 'registry', 'strace'],
  brief: [9, 45],
  run: kill,
};

/** Runs a few commands, kills the last of them, and checks all that must hold afterwards. */
async function kill(context: FaultContext): Promise<void> {
  const { random, directory, signal, count, fail } = context;
  const planned = randomOperations(random, 4);
  const way = wayToKill(random);
  const asUser = random.int(4) === 0;
  const { digests, archive } = await reference(context);
  const registry = await sharedService('registry');
  const site = makeSite({ directory: join(directory, 'site'), signal, registry, archive, asUser });
  const at = { ...context, directory: site.directory, asUser };
  if (asUser) await runChecked('chown', ['--recursive', ordinaryUser().name, site.directory]);
  const operations = context.plan(planned);
  for (const { env, ...operation } of operations.slice(0, -1)) await runGood(at, operation.arguments(site), { env });
  const last = operations.at(-1)!;
  const killed = await way(site, last, context);
  const { result } = killed;
  if (asUser) count('by an ordinary user');
  count(result.exitCode === 0 ? `${last.name}: ended before, or killed in the background` : `${last.name}: kills`);

  await eventually(() => processesNaming(site.directory).length === 0);
  await runGood(at, ['fsck']);
  const variant = last.builds ?? 'a';
  const next = await runGood(at, reproducibleBuild(site, variant));
  const digest = manifestOf(next.stderr);
  if (digest !== digests[variant]) fail(`After "${last.name}" the image is ${digest}, expected ${digests[variant]}`);
  // A limit of the cache may have removed them.
  if (last.builds !== undefined && last.env === undefined) requireReuse(result, next, context);
  if (isArchiveCutOff(site)) fail('The archive is cut off');
  const groups = () => groupsOf(killed, groupsNamed(/^tbuild-steps-\d+$/));
  // A build that runs steps removes the groups of killed ones.
  if (groups().length > 0) await runGood(at, reproducibleBuild(site, variant, '--no-cache'));
  if (groups().length > 0) fail(`Control groups are left after "${last.name}"`, groups().join('\n'));
  await requireEmptied(at, `After "${last.name}"`);
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
