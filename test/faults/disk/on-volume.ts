import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { runChecked } from '../../support/run-process.ts';
import { sharedService } from '../../support/services.ts';
import { ordinaryUser } from '../../support/user.ts';
import type { FaultContext } from '../fault-row.ts';
import { makeSite, type Operation, reproducibleBuild, type Site } from '../operations.ts';
import { manifestOf, reference, requireEmptied } from '../reference.ts';
import { runGood } from '../run-tbuild.ts';
import { mountVolume, pickVolume, type Volume, type VolumeKind } from './volumes.ts';

export interface VolumeSite {
  readonly site: Site;
  readonly volume: Volume;
  /** The context of the case, for commands in the site. */
  readonly at: FaultContext;
}

/**
 * Makes a site on a file system of its own, of root or an ordinary user, and breaks something there: `work` returns the last
 * command that it ran. With the fault gone, everything works as if it had never been there.
 */
export async function onVolume(
  context: FaultContext,
  only: VolumeKind | undefined,
  work: (place: VolumeSite) => Promise<Operation>,
): Promise<void> {
  const { random, directory, signal, count } = context;
  const picked = pickVolume(random);
  const kind = only ?? picked;
  const asUser = random.int(4) === 0;
  const { archive } = await reference(context);
  const registry = await sharedService('registry');
  await using volume = await mountVolume(kind, join(directory, 'volume'));
  const site = makeSite({ directory: join(volume.path, 'site'), signal, registry, archive, asUser });
  const at = { ...context, directory: site.directory, asUser };
  if (asUser) await runChecked('chown', ['--recursive', ordinaryUser().name, site.directory]);
  const last = await work({ site, volume, at });
  count(`on ${kind}`);
  if (asUser) count('by an ordinary user');
  await eventually(() => processesNaming(site.directory).length === 0);
  await requireRecovery(at, site, last);
}

async function requireRecovery(at: FaultContext, site: Site, last: Operation): Promise<void> {
  const { digests } = await reference(at);
  await runGood(at, ['fsck']);
  const variant = last.builds ?? 'a';
  const digest = manifestOf((await runGood(at, reproducibleBuild(site, variant))).stderr);
  if (digest !== digests[variant]) at.fail(`After "${last.name}" the image is ${digest}, expected ${digests[variant]}`);
  await requireEmptied(at, `After "${last.name}"`);
}
