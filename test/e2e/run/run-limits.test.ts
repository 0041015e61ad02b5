import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isolations } from '../../support/isolations.ts';
import { mountsNaming, processesNaming } from '../../support/leftovers.ts';
import { statusOf } from '../../support/plain-progress.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildGood, buildInline, good, writeFiles } from '../../support/tbuild.ts';

const eatsMemory = 'tail -c 200000000 /dev/zero > /dev/null; exit $?';

describe.each(isolations)('limits of a step, isolation %s:', needs('root'), (isolation) => {
  test('beyond its memory it is killed, with a message that says so and how to get more', async () => {
    const args = ['--isolation', isolation, '--resource', 'memory=32m'];
    const build = await buildInline({ Dockerfile: `FROM busybox\nRUN ${eatsMemory}\n` }, { args });
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toMatch(/^ERROR: process .* exit code: 137, killed: it exceeded the memory limit of 32 MiB$/m);
    expect(build.stderr).toContain('hint: Raise the limit with --resource memory=SIZE');
  });

  test('where it goes on without the process that was killed, the log says so', async () => {
    const args = ['--no-cache', '--isolation', isolation, '-m', '32m'];
    const build = await buildGood({ Dockerfile: `FROM busybox\nRUN ( ${eatsMemory} ) || true\n` }, { args });
    expect(build.stderr).toContain('A process in this step was killed: it exceeded the memory limit of 32 MiB');
  });

  test('root cannot fork without end', async () => {
    const Dockerfile = 'FROM busybox\nRUN bomb() { bomb | bomb & }; bomb; sleep 0.5; true; exit $?\n';
    const args = ['--no-cache', '--isolation', isolation, '--resource', 'pids=60'];
    const build = await buildInline({ Dockerfile }, { args });
    expect(build.stderr).toContain("can't fork");
    expect(processesNaming('bomb | bomb')).toEqual([]);
  });
});

test('limits are no part of a step: other limits run nothing again', async () => {
  const context = writeFiles({ Dockerfile: `FROM busybox\nRUN echo limits-are-not-keyed > /x\n` });
  await buildContext(context);
  const again = good(await buildContext(context, { args: isRoot ? ['--resource', 'memory=1g'] : [] }));
  expect(statusOf(again.stderr, 'RUN echo limits')).toBe('cached');
});

test('an ordinary user who may make no control group is told so', needs('user'), async () => {
  const args = ['--resource', 'memory=1g'];
  const build = await buildInline({ Dockerfile: 'FROM busybox\nRUN true\n' }, { args, asUser: true });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toMatch(
    /ERROR: The resources of a step cannot be limited: (cannot make a control group|the controller "memory" is not enabled) in "\/sys/,
  );
  expect(build.stderr).toContain('hint: Run tbuild as root outside of containers, or');
});

describe.each(isolations)('--timeout, isolation %s:', (isolation) => {
  test('ends the build as an error that shows the step; earlier steps stay, and nothing of this one', async () => {
    const marker = `47${Math.floor(Math.random() * 1e6)}`;
    const store = scratchDirectory('store');
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo unpacks the base\n' });
    good(await buildContext(context, { store }));
    const last = `RUN trap '' TERM INT; sleep ${marker} & sleep ${marker}`;
    writeFiles({ Dockerfile: `FROM busybox\nRUN echo first\n${last}\n` }, context);
    const args = ['--isolation', isolation, '--timeout', '3s'];
    const build = await buildContext(context, { args, store });
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toMatch(/^ +3 \| >>> RUN trap/m);
    expect(build.stderr).toContain('ERROR: The build took longer than --timeout allows: 3s\n');
    expect(processesNaming(marker)).toEqual([]);
    expect(mountsNaming(store)).toEqual([]);
    expect(readdirSync(join(store, 'run')).filter((name) => /^(files|step)-/.test(name))).toEqual([]);
    writeFiles({ Dockerfile: 'FROM busybox\nRUN echo first\n' }, context);
    expect(statusOf(good(await buildContext(context, { store })).stderr, 'RUN echo first')).toBe('cached');
  });

  test('does nothing to a build that is fast enough', async () => {
    const Dockerfile = 'FROM busybox\nRUN true\n';
    const build = good(await buildInline({ Dockerfile }, { args: ['--isolation', isolation, '--timeout', '1h'] }));
    expect(build.stderr).not.toContain('timeout');
  });
});
