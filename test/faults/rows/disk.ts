import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { runChecked } from '../../support/run-process.ts';
import { sharedService } from '../../support/services.ts';
import { ordinaryUser } from '../../support/user.ts';
import { pickFault } from '../disk/faults.ts';
import { mountVolume, pickVolume } from '../disk/volumes.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { makeSite, type Operation, randomOperations, reproducibleBuild, type Site } from '../operations.ts';
import { manifestOf, reference, requireEmptied } from '../reference.ts';
import { runGood, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'disk',
  title: 'A disk that is full, failing or read-only ends a command with one clear message, and nothing is lost',
  needs: ['root', 'user', 'registry', 'strace', 'ext4', 'xfs', 'btrfs', 'fuse'],
  brief: [2, 19, 50],
  run: disk,
};

/** Runs a few commands, the last of them with a fault, and checks its message and all that must hold afterwards. */
async function disk(context: FaultContext): Promise<void> {
  const { random, directory, signal, count } = context;
  const planned = randomOperations(random, 3);
  const fault = pickFault(random);
  const picked = pickVolume(random);
  const { volume: kind = picked } = fault;
  const asUser = random.int(4) === 0;
  const { archive } = await reference(context);
  const registry = await sharedService('registry');
  await using volume = await mountVolume(kind, join(directory, 'volume'));
  const site = makeSite({ directory: join(volume.path, 'site'), signal, registry, archive, asUser });
  const at = { ...context, directory: site.directory, asUser };
  if (asUser) await runChecked('chown', ['--recursive', ordinaryUser().name, site.directory]);
  const operations = context.plan(planned);
  for (const { env, ...operation } of operations.slice(0, -1)) await runGood(at, operation.arguments(site), { env });
  const last = operations.at(-1)!;
  await fault.run({ site, operation: last, context, volume }, (options) =>
    runTbuild(at, last.arguments(site), { ...options, env: { ...last.env, ...options?.env } }),
  );
  count(`on ${kind}`);
  if (asUser) count('by an ordinary user');
  await eventually(() => processesNaming(site.directory).length === 0);
  await requireRecovery(at, site, last);
}

/** With the fault gone, everything works as if it had never been there. */
async function requireRecovery(context: FaultContext, site: Site, last: Operation): Promise<void> {
  const { fail } = context;
  const { digests } = await reference(context);
  await runGood(context, ['fsck']);
  const variant = last.builds ?? 'a';
  const digest = manifestOf((await runGood(context, reproducibleBuild(site, variant))).stderr);
  if (digest !== digests[variant]) fail(`After "${last.name}" the image is ${digest}, expected ${digests[variant]}`);
  await requireEmptied(context, `After "${last.name}"`);
}
