import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { runChecked } from '../../support/run-process.ts';
import { sharedService } from '../../support/services.ts';
import { mountImage, mountVolume } from '../disk/volumes.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { makeSite, randomOperations, reproducibleBuild } from '../operations.ts';
import { emptyStore, manifestOf, reference } from '../reference.ts';
import { runGood, runTbuild, type RunOptions } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'power',
  title: 'After a power cut the next build uses nothing that did not reach the disk',
  needs: ['root', 'registry', 'ext4', 'xfs', 'unshare'],
  brief: 2,
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
    const at = { ...context, directory: path };
    await runChecked('sync', ['-f', path]);
    for (const operation of operations.slice(0, -1)) await runGood(at, operation.arguments(site));
    const last = runTbuild(at, operations.at(-1)!.arguments(site));
    await sleep(moment * 2);
    await runChecked('cp', ['--reflink=always', image, snapshot]);
    await last;
    await eventually(() => processesNaming(path).length === 0);
  }
  await using _disk = await mountImage(snapshot, path, 'loop');
  count('power cuts');
  await requireRecovery({ ...context, directory: path });
}

async function makeImage(image: string): Promise<void> {
  writeFileSync(image, '');
  truncateSync(image, 128 * 1024 * 1024);
  await runChecked('mkfs.ext4', ['-q', image]);
}

async function requireRecovery(context: FaultContext): Promise<void> {
  const { directory, signal, count, fail } = context;
  const { digests, archive, emptied } = await reference(context);
  const boot = join(directory, '..', 'boot');
  writeFileSync(boot, '01234567-89ab-cdef-0123-456789abcdef\n');
  const options: RunOptions = { through: afterBoot(boot) };
  const site = makeSite({ directory, signal, registry: '', archive });
  for (const variant of ['a', 'b'] as const) {
    const { stderr } = await runGood(context, reproducibleBuild(site, variant), options);
    const lines = stderr.split('\n').filter((line) => line.includes('Unclean shutdown'));
    if (lines.length > 1) fail('The loss is said more than once', stderr);
    count(lines.length === 1 ? 'losses said' : 'builds without a loss');
    const digest = manifestOf(stderr);
    if (digest !== digests[variant]) fail(`The image is ${digest}, expected ${digests[variant]}`, stderr);
  }
  const { stdout } = await runTbuild(context, ['fsck'], options);
  const damages = stdout.split('\n').filter((line) => line !== '' && line !== 'The store is sound');
  // Nobody can make an image again that was loaded.
  const others = damages.filter((line) => !/^Image "(app:loaded|[\d.]+:.*)" lacks blob/.test(line));
  if (others.length > 0) fail('The store has damaged entries', stdout);
  count('loaded or pushed images that lost a blob', damages.length);
  rmSync(join(directory, 'out'), { recursive: true, force: true });
  const more = (await emptyStore(context)).filter((path) => !emptied.includes(path));
  if (more.length > 0) fail('These files stay in a store that was emptied', more.join('\n'));
}

/** Returns the command that runs a program as if the machine had booted since. */
function afterBoot(boot: string): readonly string[] {
  const script = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"';
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', boot];
}
