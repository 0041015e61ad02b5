import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGate } from '../../support/gate.ts';
import { isolations } from '../../support/isolations.ts';
import { groupsNamed, mountsNaming, processesNaming } from '../../support/leftovers.ts';
import { patience } from '../../support/patience.ts';
import { statusOf } from '../../support/plain-progress.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildGood, buildInline, good, writeFiles } from '../../support/tbuild.ts';

const eatsMemory = 'tail -c 200000000 /dev/zero > /dev/null; exit $?';

describe.each(isolations)('limits of a step, isolation %s:', needs('root'), (isolation) => {
  test('a step over its memory limit is killed, and the message says how to raise the limit', async () => {
    const args = ['--isolation', isolation, '--resource', 'memory=32m'];
    const build = await buildInline({ Dockerfile: `FROM busybox\nRUN ${eatsMemory}\n` }, { args });
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toMatch(/^ERROR: process .* exit code: 137, killed: it exceeded the memory limit of 32 MiB$/m);
    expect(build.stderr).toMatch(/^hint: Raise the limit with --resource memory=SIZE: .* used \d+ MiB/m);
    expect(build.stderr).toMatch(/^note: for a shell in this step, as it failed: tbuild debug \w{25}$/m);
  });

  test('the log reports a killed process when the step goes on', async () => {
    const args = ['--no-cache', '--isolation', isolation, '-m', '32m'];
    const build = await buildGood({ Dockerfile: `FROM busybox\nRUN ( ${eatsMemory} ) || true\n` }, { args });
    expect(build.stderr).toContain('A process in this step was killed: it exceeded the memory limit of 32 MiB');
  });

  test('root cannot fork endlessly', async () => {
    const Dockerfile = 'FROM busybox\nRUN bomb() { bomb | bomb & }; bomb; sleep 0.5; true; exit $?\n';
    const args = ['--no-cache', '--isolation', isolation, '--resource', 'pids=60'];
    const build = await buildInline({ Dockerfile }, { args });
    expect(build.stderr).toContain("can't fork");
    expect(processesNaming('bomb | bomb')).toEqual([]);
  });
});

test.each(isolations)(
  '--cgroup-parent is above the control group of a step, isolation %s',
  needs('root'),
  async (isolation) => {
    await using gate = await startGate();
    const parent = `test-${process.pid}-${isolation}`;
    const args = ['--no-cache', '--isolation', isolation, '--network', 'host', '--cgroup-parent', parent];
    let groups: string[] = [];
    const look = async (): Promise<void> => {
      await gate.reached('step');
      groups = groupsNamed(new RegExp(`^${parent}$`)).flatMap((path) => readdirSync(path));
      gate.open('step');
    };
    await Promise.all([buildGood({ Dockerfile: `FROM busybox\nRUN ${gate.wait('step')}\n` }, { args }), look()]);
    expect(groups).toContainEqual(expect.stringMatching(/^tbuild-/));
  },
);

/** Options of Docker, and what a step sees of each in its control groups of version 2 or 1. */
const LIMITS = [
  ['--cpu-period=50000', 'cpu.max', '25000 50000', 'cpu/cpu.cfs_period_us', '50000'],
  ['--cpu-quota=25000', 'cpu.max', '25000 50000', 'cpu/cpu.cfs_quota_us', '25000'],
  ['--cpu-shares=2048', 'cpu.weight', '79', 'cpu/cpu.shares', '2048'],
  ['--cpuset-cpus=0', 'cpuset.cpus', '0', 'cpuset/cpuset.cpus', '0'],
  ['--cpuset-mems=0', 'cpuset.mems', '0', 'cpuset/cpuset.mems', '0'],
  ['--memory=64m', 'memory.max', '67108864', 'memory/memory.limit_in_bytes', '67108864'],
  ['--memory-swap=96m', 'memory.swap.max', '33554432', 'memory/memory.memsw.limit_in_bytes', '100663296'],
] as const;

test('the limits of Docker are those of the control group of a step', needs('root'), async () => {
  const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const expected = LIMITS.map(([, file, value, oldFile, oldValue]) =>
    isUnified ? [file, value] : [oldFile, oldValue],
  );
  const shown = expected.map(([file]) => `echo "${file} = $(cat /sys/fs/cgroup/${file})"`);
  const args = ['--no-cache', '--isolation', 'namespace', ...LIMITS.map(([option]) => option)];
  const { stderr } = await buildGood({ Dockerfile: `FROM busybox\nRUN ${shown.join('; ')}\n` }, { args });
  for (const [file, value] of expected) expect(stderr).toMatch(new RegExp(`^#\\d+ [\\d.]+ ${file} = ${value}$`, 'm'));
});

test('changed limits rerun no step', async () => {
  const context = writeFiles({ Dockerfile: `FROM busybox\nRUN echo limits-are-not-keyed > /x\n` });
  await buildContext(context);
  const again = good(await buildContext(context, { args: isRoot ? ['--resource', 'memory=1g'] : [] }));
  expect(statusOf(again.stderr, 'RUN echo limits')).toBe('cached');
});

test('an ordinary user who may not create control groups gets a message', needs('user'), async () => {
  const args = ['--resource', 'memory=1g'];
  const build = await buildInline({ Dockerfile: 'FROM busybox\nRUN true\n' }, { args, asUser: true });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toMatch(
    /ERROR: The resources of a step cannot be limited: (cannot make a control group|the controller "memory" is not enabled) in "\/sys/,
  );
  expect(build.stderr).toContain('hint: Run tbuild as root outside of containers, or');
});

describe.each(isolations)('--timeout, isolation %s:', (isolation) => {
  test('fails the build, shows the step, and keeps only the earlier steps', async () => {
    const marker = `47${Math.floor(Math.random() * 1e6)}`;
    const store = scratchDirectory('store');
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo unpacks the base\n' });
    good(await buildContext(context, { store }));
    const last = `RUN trap '' TERM INT; sleep ${marker} & sleep ${marker}`;
    writeFiles({ Dockerfile: `FROM busybox\nRUN echo first\n${last}\n` }, context);
    const limit = `${Math.ceil(2 + patience)}s`;
    const args = ['--isolation', isolation, '--timeout', limit];
    const build = await buildContext(context, { args, store });
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toMatch(/^ +3 \| >>> RUN trap/m);
    expect(build.stderr).toContain(`ERROR: The build took longer than --timeout allows: ${limit}\n`);
    expect(processesNaming(marker)).toEqual([]);
    expect(mountsNaming(store)).toEqual([]);
    expect(readdirSync(join(store, 'run')).filter((name) => /^(files|step)-/.test(name))).toEqual([]);
    writeFiles({ Dockerfile: 'FROM busybox\nRUN echo first\n' }, context);
    expect(statusOf(good(await buildContext(context, { store })).stderr, 'RUN echo first')).toBe('cached');
  });

  test('does not affect a build that is fast enough', async () => {
    const Dockerfile = 'FROM busybox\nRUN true\n';
    const build = good(await buildInline({ Dockerfile }, { args: ['--isolation', isolation, '--timeout', '1h'] }));
    expect(build.stderr).not.toContain('timeout');
  });
});
