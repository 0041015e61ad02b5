import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { sharedService } from '../../support/services.ts';
import { pickFault } from '../disk/faults.ts';
import { mountVolume, pickVolume } from '../disk/volumes.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { makeSite, type Operation, randomOperations, reproducibleBuild, type Site } from '../operations.ts';
import { emptyStore, manifestOf, reference } from '../reference.ts';
import { runGood, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'disk',
  title: 'A disk that is full, failing or read-only ends a command with one clear message, and nothing is lost',
  needs: ['root', 'registry', 'strace', 'ext4', 'xfs', 'btrfs'],
  brief: 3,
  run: disk,
};

/** Runs a few commands, the last of them with a fault, and checks its message and all that must hold afterwards. */
async function disk(context: FaultContext): Promise<void> {
  const { random, directory, signal, count } = context;
  const planned = randomOperations(random, 3);
  const fault = pickFault(random);
  const kind = pickVolume(random);
  const { archive } = await reference(context);
  const registry = await sharedService('registry');
  await using volume = await mountVolume(kind, join(directory, 'site'));
  const site = makeSite({ directory: volume.path, signal, registry, archive });
  const at = { ...context, directory: site.directory };
  const operations = context.plan(planned);
  for (const operation of operations.slice(0, -1)) await runGood(at, operation.arguments(site));
  const last = operations.at(-1)!;
  await fault.run({ site, operation: last, context, volume }, (options) =>
    runTbuild(at, last.arguments(site), options),
  );
  count(`on ${kind}`);
  await eventually(() => processesNaming(site.directory).length === 0);
  await requireRecovery(at, site, last);
}

/** With the fault gone, everything works as if it had never been there. */
async function requireRecovery(context: FaultContext, site: Site, last: Operation): Promise<void> {
  const { fail } = context;
  const { digests, emptied } = await reference(context);
  await runGood(context, ['fsck']);
  const variant = last.builds ?? 'a';
  const digest = manifestOf((await runGood(context, reproducibleBuild(site, variant))).stderr);
  if (digest !== digests[variant]) fail(`After "${last.name}" the image is ${digest}, expected ${digests[variant]}`);
  const more = (await emptyStore(context)).filter((path) => !emptied.includes(path));
  if (more.length > 0) fail(`After "${last.name}" these files stay in a store that was emptied`, more.join('\n'));
}
