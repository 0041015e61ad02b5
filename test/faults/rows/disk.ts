import { onVolume } from '../disk/on-volume.ts';
import { pickScarcity } from '../disk/scarcity.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { randomOperations } from '../operations.ts';
import { runGood, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'disk',
  title: 'A disk that is full or read-only ends a command with one clear message, and nothing is lost',
  needs: ['root', 'user', 'registry', 'ext4', 'xfs', 'btrfs', 'fuse'],
  run: disk,
};

/** Runs a few commands, the last of them with a fault. */
async function disk(context: FaultContext): Promise<void> {
  const planned = randomOperations(context.random, 3);
  const fault = pickScarcity(context.random);
  await onVolume(context, fault.volume, async ({ site, volume, at }) => {
    const operations = context.plan(planned);
    for (const { env, ...operation } of operations.slice(0, -1)) await runGood(at, operation.arguments(site), { env });
    const last = operations.at(-1)!;
    await fault.run({ site, context, volume }, (options) =>
      runTbuild(at, last.arguments(site), { ...options, env: { ...last.env, ...options?.env } }),
    );
    return last;
  });
}
