import { join } from 'node:path';
import { shuffled } from '../../support/random.ts';
import { failCall, failingCallOf } from '../disk/failing-calls.ts';
import { onVolume } from '../disk/on-volume.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { operations, randomOperations } from '../operations.ts';
import { runGood } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'errors',
  title: 'A system call that fails ends a command with one clear message, and nothing is lost',
  needs: ['root', 'user', 'registry', 'strace', 'ext4', 'xfs', 'btrfs', 'fuse'],
  brief: [16, 44],
  run: errors,
};

/** Lets one call fail: each case takes the next pair of a kind and an error, and tries the commands until one makes such a call. */
async function errors(context: FaultContext): Promise<void> {
  const { random, number, directory, fail } = context;
  const failing = failingCallOf(number);
  const before = randomOperations(random, 2).slice(1);
  const candidates = shuffled(operations, random);
  await onVolume(context, undefined, async ({ site, at }) => {
    for (const { env, ...operation } of before) await runGood(at, operation.arguments(site), { env });
    for (const operation of context.plan(candidates)) {
      if (await failCall(failing, operation, { site, at, log: join(directory, 'strace') })) return operation;
    }
    return fail(`No command made a call like ${failing.kind}`);
  });
}
