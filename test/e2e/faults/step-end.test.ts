import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { eventually } from '../../support/eventually.ts';
import { isolations } from '../../support/isolations.ts';
import { groupsNamed, killNode, mountsNaming, processesNaming } from '../../support/leftovers.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runStoppedAt } from '../../support/stopped-at.ts';
import { buildContext, buildGood, buildInline, defaultStore, good, writeFiles } from '../../support/tbuild.ts';

const newMarker = () => `83${Math.floor(Math.random() * 1e6)}`;

describe.each(isolations)('a step, isolation %s,', (isolation) => {
  const args = ['--isolation', isolation, '--no-cache'];

  test.each([
    ['in the background', 'sleep MARK &'],
    ['in a session of its own', 'setsid sh -c "sleep MARK & sleep MARK" & sleep 0.2;'],
    ['that ignores signals', '( trap "" TERM INT HUP; sleep MARK; sleep MARK ) & sleep 0.1;'],
    ['that was orphaned twice', '( ( sh -c "setsid sleep MARK & sleep 0.1" & ) & ); sleep 0.3;'],
  ])('terminates a process that it leaves %s, even if that keeps the output open', async (_name, script) => {
    const marker = newMarker();
    const Dockerfile = `FROM busybox\nRUN ${script.replaceAll('MARK', marker)} echo started\n`;
    good(await buildInline({ Dockerfile }, { args }));
    expect(processesNaming(`sleep\0${marker}`)).toEqual([]);
  });

  test('that closes its output runs on to its end', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN exec >&- 2>&- <&-; sleep 0.5; touch /done\n' },
      { args },
    );
    expect(build.tree().entries.has('/done')).toBe(true);
  });

  const twice = (child: ChildProcess): void => {
    child.kill('SIGINT');
    child.kill('SIGINT');
  };
  const stops: readonly { how: string; stop(child: ChildProcess): unknown; exitCode?: number; user?: string }[] = [
    { how: 'one SIGINT', stop: (child) => child.kill('SIGINT'), exitCode: 130 },
    { how: 'one SIGHUP', stop: (child) => child.kill('SIGHUP'), exitCode: 130 },
    { how: 'two SIGINTs', stop: twice, exitCode: 130 },
    { how: 'SIGKILL', stop: killNode },
    { how: 'SIGKILL, though it is another user,', stop: killNode, user: '1000:1000' },
  ];

  test.each(stops)('is gone after $how to tbuild', async ({ stop, exitCode, user = '0' }) => {
    const marker = newMarker();
    const store = scratchDirectory('store');
    const context = writeFiles({
      Dockerfile: `FROM busybox\nUSER ${user}\nRUN trap "" TERM INT; sleep ${marker} & sleep ${marker}\n`,
    });
    let stopping: Promise<void> | undefined;
    const build = await buildContext(context, {
      args,
      store,
      onStart: (child) => {
        stopping = eventually(() => processesNaming(`sleep\0${marker}`).length > 1).then(() => void stop(child));
      },
    });
    await stopping;
    if (exitCode !== undefined) expect(build.exitCode, build.stderr).toBe(exitCode);
    await eventually(() => processesNaming(`sleep\0${marker}`).length === 0 && mountsNaming(store).length === 0);
    expect(processesNaming(`sleep\0${marker}`)).toEqual([]);
    expect(mountsNaming(store)).toEqual([]);
    const next = { Dockerfile: 'FROM busybox\nRUN echo well > /well\n' };
    expect(
      good(await buildInline(next, { args, store }))
        .tree()
        .readText('/well'),
    ).toBe('well\n');
    expect(readdirSync(join(store, 'run')).filter((name) => /^(step|files|tree)-/.test(name))).toEqual([]);
  });

  test('that fills the disk fails with a clear error, and its space is freed', needs('root'), async () => {
    const directory = scratchDirectory('disk');
    const [image, store] = [join(directory, 'image'), join(directory, 'store')];
    mkdirSync(store);
    writeFileSync(image, '');
    truncateSync(image, 40 << 20);
    await runChecked('mkfs.ext4', ['-q', image]);
    await runChecked('mount', ['-o', 'loop', image, store]);
    try {
      const full = await buildInline({ Dockerfile: 'FROM busybox\nRUN cat /dev/zero > /big\n' }, { args, store });
      expect(full.exitCode).toBe(1);
      // A volatile overlay may report only an I/O error to the program.
      expect(full.stderr).toMatch(/No space left on device|I\/O error/);
      expect(full.stderr).toContain(
        'hint: Free some space, for example with tbuild prune: none is left on the file system of the store "',
      );
      good(await buildInline({ Dockerfile: 'FROM busybox\nRUN echo x > /small\n' }, { args, store }));
    } finally {
      await runChecked('umount', ['-l', store]);
    }
  });
});

test('the next build removes the control group of a killed build', needs('root'), async () => {
  const marker = newMarker();
  const context = writeFiles({ Dockerfile: `FROM busybox\nRUN sleep ${marker}\n` });
  let killed: number | undefined;
  let stopping: Promise<void> | undefined;
  await buildContext(context, {
    onStart: (child) => {
      stopping = eventually(() => processesNaming(`sleep\0${marker}`).length > 0).then(() => {
        killed = killNode(child);
      });
    },
  });
  await stopping;
  expect(killed).toBeGreaterThan(0);
  await eventually(() => processesNaming(`sleep\0${marker}`).length === 0);
  // Cleanup spares a new control group, since its process may be about to enter it.
  await sleep(600);
  await buildGood({ Dockerfile: 'FROM busybox\nRUN true\n' }, { args: ['--no-cache'] });
  expect(groupsNamed(new RegExp(`^tbuild-steps-${killed}$`))).toEqual([]);
});

const [, unified = ''] =
  / (\/sys\/fs\/cgroup\S*) \S+ (?:\S+ )?- cgroup2 /.exec(readFileSync('/proc/self/mountinfo', 'utf8')) ?? [];
const canMakeGroup = { met: isRoot && unified !== '', lacks: 'root with cgroup v2' };

test(
  'a control group that vanishes while a build looks at it does not keep its steps from devices that are allowed',
  needs('strace', canMakeGroup),
  async () => {
    const [, own = ''] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
    // No process has such an id.
    const left = join(unified, own, `tbuild-steps-${1e8 + Math.floor(Math.random() * 1e8)}`);
    mkdirSync(left);
    const step = spawn('sleep', ['1000']);
    writeFileSync(join(left, 'cgroup.procs'), String(step.pid));
    // Cleanup spares a new control group.
    await sleep(600);
    // Only a build that knows its group lets a step leave it, and with it the filter of devices. /dev/kmsg has these numbers.
    const Dockerfile = 'FROM busybox\nRUN --security=insecure mknod /log c 1 11 && : < /log\n';
    const allowed = ['--no-cache', '--allow', 'security.insecure', ...baseImageArguments()];
    const stop = { call: 'openat', path: join(left, 'cgroup.events'), store: defaultStore() };
    const end = async (): Promise<void> => {
      if (step.kill()) await once(step, 'exit');
      await eventually(() => isRemoved(left));
    };
    try {
      good(await runStoppedAt(stop, ['build', ...allowed, writeFiles({ Dockerfile })], end));
    } finally {
      await end();
    }
  },
);

/** Removes a control group, unless the kernel still counts a process in it. Returns whether it is gone. */
function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
  } catch {
    return !existsSync(group);
  }
  return true;
}

test('the steps of these tests left nothing in the store', () => {
  expect(readdirSync(join(defaultStore(), 'run')).filter((name) => /^(step|files)-/.test(name))).toEqual([]);
});
