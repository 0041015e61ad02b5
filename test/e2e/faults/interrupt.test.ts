import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { killNode, mountsNaming, processesNaming } from '../../support/leftovers.ts';
import { statusOf } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

/** A step that writes, then sleeps for a time that names it among all processes. */
function sleepyContext(marker: string): string {
  return writeFiles({ Dockerfile: `FROM busybox\nRUN echo first > /first\nRUN echo half > /half; sleep ${marker}\n` });
}

async function interrupted(
  marker: string,
  stop: (child: ChildProcess) => unknown,
  options: { store: string; asUser: boolean },
) {
  const args = ['build', '--progress', 'plain', ...baseImageArguments(), sleepyContext(marker)];
  let stopping: Promise<void> | undefined;
  const result = await runTbuild(args, {
    ...options,
    onStart: (child) => {
      stopping = untilRunning(marker).then(() => void stop(child));
    },
  });
  await stopping;
  return result;
}

async function untilRunning(marker: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (processesNaming(`sleep\0${marker}`).length > 0) return;
    await sleep(25);
  }
  throw new Error('The step never began');
}

/** Returns the leftovers in the working directories of the store. */
function leftIn(store: string): readonly string[] {
  return ['run', 'tmp', 'snapshots/.active'].flatMap((place) =>
    existsSync(join(store, place)) ? readdirSync(join(store, place)).map((name) => `${place}/${name}`) : [],
  );
}

describe.each(builders)('a build by $who that is', ({ asUser }) => {
  test.each([
    ['interrupted', (child: ChildProcess) => child.kill('SIGINT'), 130],
    ['terminated', (child: ChildProcess) => child.kill('SIGTERM'), undefined],
    ['killed', (child: ChildProcess) => child.kill('SIGKILL'), undefined],
    ['killed in its Node process', killNode, undefined],
  ] as const)('%s leaves no process, no mount and a sound store', async (_name, stop, exitCode) => {
    const marker = `52${Math.floor(Math.random() * 1e6)}`;
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    const result = await interrupted(marker, stop, { store, asUser });
    if (exitCode !== undefined) expect(result.exitCode, result.stderr).toBe(exitCode);
    else expect(result.exitCode).not.toBe(0);

    await eventually(() => processesNaming(marker).length === 0 && mountsNaming(store).length === 0);
    expect(processesNaming(marker)).toEqual([]);
    expect(mountsNaming(store)).toEqual([]);

    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo first > /first\nRUN ls / > /seen\n' });
    const next = good(await buildContext(context, { store, asUser }));
    expect(statusOf(next.stderr, 'RUN echo first')).toBe('cached');
    expect(next.tree().entries.has('/half')).toBe(false);
    expect(readdirSync(join(store, 'leases')).length).toBeLessThanOrEqual(1);
    expect(leftIn(store)).toEqual([]);
  });

  test('interrupted while it reads a huge file ends at once', async () => {
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY huge /\n', huge: '' });
    // Hours of zeros to hash.
    truncateSync(join(context, 'huge'), 2 ** 43);
    const isBusy = () => existsSync(join(store, 'leases')) && readdirSync(join(store, 'leases')).length > 0;
    let stopping: Promise<void> | undefined;
    const result = await runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), context], {
      store,
      asUser,
      onStart(child) {
        stopping = eventually(isBusy)
          .then(() => sleep(500))
          .then(() => void child.kill('SIGINT'));
      },
    });
    await stopping;
    expect(result.exitCode, result.stderr).toBe(130);
    expect(leftIn(store)).toEqual([]);
  });

  test('failed by a step while the layer of a huge file is packed ends at once', async () => {
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    // Hours of zeros to pack.
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN truncate -s 8796093022208 /huge\nRUN false\n' });
    const result = await buildContext(context, { store, asUser });
    expect(result.stderr).toContain('ERROR: process "/bin/sh -c false" did not complete');
    expect(leftIn(store)).toEqual([]);
  });

  test('killed while it copies leaves only files that the next build sweeps', async () => {
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    const names = Array.from({ length: 8000 }, (_, at) => `many/${at}`);
    const context = writeFiles({
      Dockerfile: 'FROM busybox\nCOPY many /many\nRUN true\n',
      ...Object.fromEntries(names.map((name) => [name, name])),
    });
    const args = ['build', '--progress', 'plain', ...baseImageArguments(), context];
    const active = join(store, 'snapshots/.active');
    const copying = () =>
      existsSync(active) && readdirSync(active).some((name) => existsSync(join(active, name, 'fs/many')));
    let stopping: Promise<void> | undefined;
    const killed = await runTbuild(args, {
      store,
      asUser,
      onStart(child) {
        stopping = eventually(copying).then(() => void killNode(child));
      },
    });
    await stopping;
    expect(killed.exitCode).not.toBe(0);
    expect(leftIn(store)).not.toEqual([]);
    const next = good(await buildContext(context, { store, asUser }));
    expect(next.tree().readText('/many/7999')).toBe('many/7999');
    expect(leftIn(store)).toEqual([]);
  });
});
