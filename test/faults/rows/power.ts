import { existsSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { runChecked } from '../../support/run-process.ts';
import { sharedService } from '../../support/services.ts';
import { ordinaryUser } from '../../support/user.ts';
import { mountImage, mountVolume } from '../disk/volumes.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { makeSite, randomOperations, reproducibleBuild, VARIANTS } from '../operations.ts';
import { manifestOf, reference, requireEmptied } from '../reference.ts';
import { runGood, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'power',
  title: 'After a power cut the next build uses nothing that did not reach the disk',
  needs: ['root', 'user', 'registry', 'ext4', 'xfs'],
  brief: [10, 27],
  run: cutPower,
};

/** How much ext4 writes by itself, and how soon. */
const MOUNTS = ['loop', 'loop,commit=1', 'loop,commit=1,data=writeback,noauto_da_alloc'];

/**
 * Runs a few commands on ext4 in an image file and takes a snapshot of that file meanwhile, or soon after: what ext4 had
 * written by then is what a disk would have. Boots, so to say, from the snapshot.
 */
async function cutPower(context: FaultContext): Promise<void> {
  const { random, directory, signal, count } = context;
  const planned = randomOperations(random, 4);
  const options = random.pick(MOUNTS);
  const moment = random.int(1000);
  const asUser = random.int(2) === 0;
  const { archive } = await reference(context);
  const registry = await sharedService('registry');
  // Its files can be copied in no time, whatever is written to them.
  await using outer = await mountVolume('xfs', join(directory, 'outer'));
  const [image, snapshot] = [join(outer.path, 'image'), join(outer.path, 'snapshot')];
  const path = join(directory, 'site');
  await makeImage(image);
  const operations = context.plan(planned);
  {
    await using _disk = await mountImage(image, path, options);
    const site = makeSite({ directory: path, signal, registry, archive });
    const at = { ...context, directory: path, asUser };
    if (asUser) await runChecked('chown', ['--recursive', ordinaryUser().name, path]);
    await runChecked('sync', ['-f', path]);
    for (const { env, ...operation } of operations.slice(0, -1)) await runGood(at, operation.arguments(site), { env });
    const { env, ...operation } = operations.at(-1)!;
    const last = runTbuild(at, operation.arguments(site), { env });
    await sleep(moment * 2);
    await runChecked('cp', ['--reflink=always', image, snapshot]);
    await last;
    await eventually(() => processesNaming(path).length === 0);
  }
  await using _disk = await mountImage(snapshot, path, 'loop');
  count(asUser ? 'power cuts for an ordinary user' : 'power cuts for root');
  await requireRecovery({ ...context, directory: path, asUser });
}

async function makeImage(image: string): Promise<void> {
  writeFileSync(image, '');
  truncateSync(image, 128 * 1024 * 1024);
  await runChecked('mkfs.ext4', ['-q', image]);
}

async function requireRecovery(context: FaultContext): Promise<void> {
  const { directory, signal, count, fail } = context;
  const { digests, archive } = await reference(context);
  rememberOtherBoot(join(directory, 'store/synced'));
  const site = makeSite({ directory, signal, registry: '', archive });
  const trees = treesIn(directory);
  for (const variant of VARIANTS) {
    const { stderr } = await runGood(context, reproducibleBuild(site, variant));
    const lines = stderr.split('\n').filter((line) => line.includes('Unclean shutdown'));
    if (lines.length > 1) fail('The loss is said more than once', stderr);
    if (variant === 'a' && lines.length === 0 && trees.some((tree) => !treesIn(directory).includes(tree)))
      fail('Trees were lost, and nothing says so', stderr);
    count(lines.length === 1 ? 'losses said' : 'builds without a loss');
    const digest = manifestOf(stderr);
    if (digest !== digests[variant]) fail(`The image is ${digest}, expected ${digests[variant]}`, stderr);
  }
  const { stdout } = await runTbuild(context, ['fsck']);
  const damages = stdout.split('\n').filter((line) => line !== '' && line !== 'The store is sound');
  // Nobody can make an image again that was loaded.
  const others = damages.filter((line) => !/^Image "(app:loaded|[\d.]+:.*)" lacks blob/.test(line));
  if (others.length > 0) fail('The store has damaged entries', stdout);
  count('loaded or pushed images that lost a blob', damages.length);
  rmSync(join(directory, 'out'), { recursive: true, force: true });
  await requireEmptied(context, 'After a power cut');
}

function treesIn(directory: string): readonly string[] {
  const place = join(directory, 'store/snapshots');
  return existsSync(place) ? readdirSync(place).filter((name) => !name.startsWith('.')) : [];
}

/** Lets the store believe that the machine has booted since its last sync. */
function rememberOtherBoot(marker: string): void {
  const { size, mtime } = statSync(marker, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size === 0 || mtime === undefined) return;
  writeFileSync(marker, '01234567-89ab-cdef-0123-456789abcdef\n');
  utimesSync(marker, mtime, mtime);
}
