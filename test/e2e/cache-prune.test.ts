import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { builders } from '../support/builders.ts';
import { stepsIn } from '../support/plain-progress.ts';
import { runChecked } from '../support/run-process.ts';
import { scratchDirectory } from '../support/scratch.ts';
import {
  buildContext,
  buildGood,
  good,
  runTbuild,
  userDirectory,
  writeFiles,
  type InlineBuild,
} from '../support/tbuild.ts';

const ran = (build: InlineBuild) => {
  const steps = [...stepsIn(build.stderr)].filter(([name]) => /\] (RUN|COPY|ADD|WORKDIR) /.test(name));
  return steps.filter(([, status]) => status !== 'cached').map(([name]) => name.replace(/^\[.*?\] /, ''));
};
const dockerfile = (name: string) =>
  `FROM busybox\nRUN head -c 3000000 /dev/urandom > /${name}\nRUN echo ${name} > /second\n`;
const rowsOf = (text: string): { type: string; size: number; description?: string }[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const HOUR = 3600_000;

/** Makes everything that is there look as if it had last been used then. */
function age(store: string, milliseconds: number): void {
  const time = new Date(Date.now() - milliseconds);
  for (const directory of ['records', 'snapshots']) {
    for (const name of readdirSync(join(store, directory))) utimesSync(join(store, directory, name), time, time);
  }
}

describe.each(builders)('the store of $who', ({ asUser }) => {
  const newStore = () => (asUser ? userDirectory('store') : scratchDirectory('store'));
  const tbuild = async (store: string, ...args: string[]) => good(await runTbuild(args, { store, asUser })).stdout;

  test('du says what is on the disk, hard links and shared bytes once', async () => {
    const store = newStore();
    const context = writeFiles({
      Dockerfile: 'FROM busybox\nCOPY . /all\nRUN --mount=type=cache,target=/c head -c 1000000 /dev/urandom > /c/x\n',
      a: 'a'.repeat(100_000),
      b: 'b',
    });
    good(await buildContext(context, { store, asUser }));
    writeFileSync(join(context, 'b'), 'changed');
    good(await buildContext(context, { store, asUser, args: ['-t', 'app:1'] }));
    const rows = rowsOf(await tbuild(store, 'du', '--format', 'json'));
    const onDisk = Number((await runChecked('du', ['-s', '--block-size=1', store])).split('\t')[0]);
    expect(rows.reduce((sum, { size }) => sum + size, 0)).toBe(onDisk);
    expect(rows.find(({ type }) => type === 'cache mount')?.size).toBeGreaterThan(1_000_000);
    expect(rows.map(({ description }) => description)).toContain('COPY . /all');
    expect(await tbuild(store, 'du', '--verbose')).toMatch(/COPY \. \/all[^]*^Total /m);
  });

  test('prune takes what was not used for long, least recently used first, and says how much', async () => {
    const store = newStore();
    // Without an image nothing but the cache holds the layers.
    const build = (name: string) =>
      buildGood({ Dockerfile: dockerfile(name) }, { store, asUser, args: ['-o', 'type=cacheonly'] });
    await build('old');
    age(store, 30 * HOUR);
    await build('new');
    const before = Number((await runChecked('du', ['-s', '--block-size=1', store])).split('\t')[0]);
    const said = await tbuild(store, 'prune', '--force', '--filter', 'until=24h');
    expect(said).toContain('Removed steps: 2\n');
    const after = Number((await runChecked('du', ['-s', '--block-size=1', store])).split('\t')[0]);
    expect(before - after).toBeGreaterThan(3_000_000);
    expect(ran(await build('new'))).toEqual([]);
    expect(ran(await build('old'))).toHaveLength(2);

    // Used last, "old" stays where only one of the two has room.
    await tbuild(store, 'prune', '--force', '--max-used-space', '10mb');
    expect(ran(await build('old'))).toEqual([]);
    expect(ran(await build('new'))).toHaveLength(2);
  });
});

test('a cap keeps the cache small after each build', async () => {
  const store = scratchDirectory('store');
  const env = { TBUILD_MAX_USED_SPACE: '5MB' };
  for (const name of ['a', 'b', 'c', 'd'])
    await buildGood({ Dockerfile: dockerfile(name) }, { store, env, args: ['-o', 'type=cacheonly'] });
  const rows = rowsOf(good(await runTbuild(['du', '--format', 'json'], { store })).stdout);
  const cache = rows.filter(({ type }) => type === 'step' || type === 'tree').reduce((sum, { size }) => sum + size, 0);
  expect(cache).toBeLessThanOrEqual(5_000_000);
  const refused = await runTbuild(['build', writeFiles({ Dockerfile: 'FROM scratch\n' })], {
    store,
    env: { TBUILD_MAX_USED_SPACE: 'much' },
  });
  expect(refused.exitCode).toBe(2);
});

test('a prune beside a running build takes nothing that it uses', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles({
    Dockerfile:
      'FROM busybox\nCOPY f /f\nRUN echo early > /early\nARG N\nRUN sleep 1.5; cat /f /early > /late\nRUN cat /late > /last\n',
    f: 'f\n',
  });
  good(await buildContext(context, { store, args: ['--build-arg', 'N=1'] }));
  await buildGood({ Dockerfile: dockerfile('unused') }, { store });
  age(store, HOUR);
  const building = buildContext(context, { store, args: ['--build-arg', 'N=2'] });
  while (readdirSync(join(store, 'leases')).length === 0) await sleep(10);
  await sleep(500);
  const said = good(await runTbuild(['prune', '--all', '--force'], { store })).stdout;
  expect(said).toContain('Removed steps: ');
  const built = good(await building);
  expect(built.tree().readText('/last')).toBe('f\nearly\n');
  expect(ran(good(await buildContext(context, { store, args: ['--build-arg', 'N=2'] })))).toEqual([]);
  expect(ran(await buildGood({ Dockerfile: dockerfile('unused') }, { store }))).toHaveLength(2);
});

test('what a killed build left is swept, and the trash is emptied after a build', async () => {
  const store = scratchDirectory('store');
  await buildGood({ Dockerfile: 'FROM busybox\nRUN true\n' }, { store });
  const old = new Date(Date.now() - HOUR);
  for (const path of ['snapshots/.active/dead/fs', 'tmp/blob-1-dead', 'trash/dead/x', 'run/files-dead']) {
    mkdirSync(join(store, path), { recursive: true });
    utimesSync(join(store, path), old, old);
  }
  await buildGood({ Dockerfile: 'FROM busybox\nRUN true\n' }, { store });
  for (let tries = 0; tries < 100 && existsSync(join(store, 'trash/dead')); tries++) await sleep(20);
  expect(existsSync(join(store, 'trash/dead'))).toBe(false);
  await sleep(50);
  good(await runTbuild(['prune', '--force'], { store }));
  for (const path of ['snapshots/.active/dead', 'tmp/blob-1-dead', 'run/files-dead'])
    expect(existsSync(join(store, path)), path).toBe(false);
  expect(statSync(join(store, 'records')).isDirectory()).toBe(true);
});

test.each([
  ['--filter', 'label=x'],
  ['--filter', 'until=soon'],
  ['--max-used-space', 'lots'],
])('prune %s %s is refused', async (option, value) => {
  const { exitCode, stderr } = await runTbuild(['prune', '--force', option, value]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(value.replace(/^until=/, ''));
});
