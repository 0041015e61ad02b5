import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { baseImageArguments, pushBaseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { startGitServer } from '../../support/git-server.ts';
import { patiently } from '../../support/patience.ts';
import { skopeo } from '../../support/peers.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { storeSize } from '../../support/store-size.ts';
import {
  buildContext,
  buildGood,
  good,
  runTbuild,
  userDirectory,
  writeFiles,
  type InlineBuild,
} from '../../support/tbuild.ts';
import { startWebServer } from '../../support/web-server.ts';

const ran = (build: InlineBuild) => ranIn(build.stderr);
const dockerfile = (name: string) =>
  `FROM busybox\nRUN head -c 3000000 /dev/urandom > /${name}\nRUN echo ${name} > /second\n`;
const rowsOf = (text: string): { type: string; size: number; description?: string; reclaimable?: boolean }[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const HOUR = 3600_000;

/** Sets the last use of every entry to so many milliseconds ago. */
function age(store: string, milliseconds: number): void {
  const time = new Date(Date.now() - milliseconds);
  const deep = { records: 1, snapshots: 1, resolved: 1, http: 1, git: 1, copies: 1, explain: 2, 'context-index': 1 };
  const ageBelow = (directory: string, depth: number): void => {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      utimesSync(join(directory, name), time, time);
      if (depth > 1) ageBelow(join(directory, name), depth - 1);
    }
  };
  for (const [directory, depth] of Object.entries(deep)) ageBelow(join(store, directory), depth);
}

describe.each(builders)('the store of $who', ({ asUser }) => {
  const newStore = () => (asUser ? userDirectory('store') : scratchDirectory('store'));
  const tbuild = async (store: string, ...args: string[]) => good(await runTbuild(args, { store, asUser })).stdout;

  test('du reports disk usage and counts hard links and shared bytes once', async () => {
    const store = newStore();
    const context = writeFiles({
      Dockerfile: 'FROM busybox\nCOPY . /all\nRUN --mount=type=cache,target=/c head -c 1000000 /dev/urandom > /c/x\n',
      a: 'a'.repeat(100_000),
      b: 'b',
    });
    good(await buildContext(context, { store, asUser }));
    writeFileSync(join(context, 'b'), 'changed');
    good(await buildContext(context, { store, asUser, args: ['-t', 'app:1'] }));
    // The background sync of the store may allocate or free a block.
    const rows = await vi.waitFor(async () => {
      const onDisk = await storeSize(store);
      const listed = rowsOf(await tbuild(store, 'du', '--format', 'json'));
      expect(listed.reduce((sum, { size }) => sum + size, 0)).toBe(onDisk);
      return listed;
    }, patiently);
    expect(rows.find(({ type }) => type === 'cache mount')?.size).toBeGreaterThan(1_000_000);
    expect(rows.map(({ description }) => description)).toContain('COPY . /all');
    expect(await tbuild(store, 'du', '--verbose')).toMatch(/COPY \. \/all[^]*^Total /m);
  });

  test('prune removes old entries, least recently used first, and reports the space', async () => {
    const store = newStore();
    // Without an image, only the cache holds the layers.
    const build = (name: string) =>
      buildGood({ Dockerfile: dockerfile(name) }, { store, asUser, args: ['-o', 'type=cacheonly'] });
    await build('old');
    age(store, 30 * HOUR);
    await build('new');
    const before = await storeSize(store);
    const said = await tbuild(store, 'prune', '--force', '--filter', 'until=24h');
    expect(said).toContain('Removed steps: 2\n');
    const after = await storeSize(store);
    expect(before - after).toBeGreaterThan(3_000_000);
    expect(ran(await build('new'))).toEqual([]);
    expect(ran(await build('old'))).toHaveLength(2);

    // "old" was used last, so it stays where only one of the two fits.
    await tbuild(store, 'prune', '--force', '--max-used-space', '10mb');
    expect(ran(await build('old'))).toEqual([]);
    expect(ran(await build('new'))).toHaveLength(2);
  });
});

describe('du and prune', () => {
  const rows = async (store: string, ...args: string[]) => {
    const { stdout } = good(await runTbuild(['du', '--format', 'json', ...args], { store }));
    return stdout === '' ? [] : rowsOf(stdout);
  };
  const sizeOf = (listed: readonly { readonly size: number }[]): number =>
    listed.reduce((sum, { size }) => sum + size, 0);
  const mounted = 'FROM busybox\nRUN --mount=type=cache,target=/c head -c 1000000 /dev/urandom > /c/x\n';

  test('agree about the space that can be reclaimed, and keep named images', async () => {
    const store = scratchDirectory('store');
    const context = writeFiles({ Dockerfile: dockerfile('unnamed') });
    good(await runTbuild(['build', ...baseImageArguments(), context], { store }));
    await buildGood(
      { Dockerfile: mounted.replace('RUN', 'RUN echo named > /named\nRUN') },
      { store, args: ['-t', 'app:1'] },
    );
    const before = await rows(store);
    const reclaimable = sizeOf(before.filter((row) => row.reclaimable === true));
    const kept = (listed: typeof before) => sizeOf(listed.filter(({ type }) => type === 'image blobs'));
    expect(sizeOf(before.filter(({ type }) => type === 'unnamed image blobs'))).toBeGreaterThan(3_000_000);
    expect(kept(before)).toBeGreaterThan(0);
    good(await runTbuild(['prune', '--all', '--force'], { store }));
    const after = await rows(store);
    expect(kept(after)).toBe(kept(before));
    // Directories stay, and the background sync may allocate or free a block.
    const few = 65_536;
    expect(sizeOf(after.filter((row) => row.reclaimable === true))).toBeLessThan(few);
    expect(Math.abs(sizeOf(before) - sizeOf(after) - reclaimable)).toBeLessThan(few);
    good(await runTbuild(['inspect', 'app:1'], { store }));
  });

  test('take the filters of buildx', async () => {
    const store = scratchDirectory('store');
    await buildGood({ Dockerfile: mounted }, { store, args: ['-o', 'type=cacheonly'] });
    await buildGood({ Dockerfile: dockerfile('file') }, { store, args: ['-o', 'type=cacheonly'] });
    const described = async (...filters: string[]) =>
      (await rows(store, ...filters.flatMap((filter) => ['--filter', filter]))).map(({ type, description = '' }) =>
        `${type} ${description}`.trim(),
      );
    const [mount, first, second] = [
      'cache mount',
      'step RUN head -c 3000000 /dev/urandom > /file',
      'step RUN echo file > /second',
    ];
    expect(await described('type=exec.cachemount')).toEqual([mount]);
    expect(await described('mutable')).toEqual([mount]);
    expect((await described('description~=> /(file|second)$')).toSorted()).toEqual([second, first]);
    expect(await described('type!=regular', 'description~=x')).toEqual([]);
    expect(await described('until=24h')).toEqual([]);
    // The first step stays: the second one needs it.
    good(await runTbuild(['prune', '--force', '--filter', 'description~=> /file$'], { store }));
    expect(await described('description~=> /(file|second)$')).toHaveLength(2);
    good(await runTbuild(['prune', '--force', '--filter', 'description~=> /second$'], { store }));
    expect(await described('description~=> /(file|second)$')).toEqual([first]);
    expect(await described('mutable')).toEqual([mount]);
    const { exitCode, stderr } = await runTbuild(['du', '--filter', 'size=3'], { store });
    expect(stderr).toContain('Invalid --filter "size=3": expected until or id, description, type, inuse');
    expect(exitCode).toBe(2);
  });
});

describe('a fetched source', needs('registry'), () => {
  test('is listed with its origin, and is pruned when it was not used for long', async () => {
    const host = await sharedService('registry');
    const [old, current] = [await pushBaseImage('busybox', host), `${host}/current/busybox:1`];
    await skopeo([
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${old}`,
      `docker://${current}`,
    ]);
    const body = 'x'.repeat(300_000);
    await using web = await startWebServer(
      new Map([
        ['/old', { body }],
        ['/current?token=hidden', { body: `${body}y` }],
      ]),
    );
    await using git = await startGitServer();
    await git.commit('old', { f: 'old' });
    await git.commit('current', { f: 'current' });
    const store = scratchDirectory('store');
    const build = (base: string, name: string, query = '') =>
      buildGood(
        {
          Dockerfile: `FROM ${base}\nADD ${web.url}/${name}${query} /file\nADD ${git.url}/${name}.git /git\nRUN echo ${name}\n`,
        },
        { store, images: [], args: ['-o', 'type=cacheonly'] },
      );
    await build(old, 'old');
    age(store, 30 * HOUR);
    await build(current, 'current', '?token=hidden');
    // Using an entry again makes it recent.
    await build(current, 'current', '?token=hidden');
    const rows = async () => rowsOf(good(await runTbuild(['du', '--format', 'json'], { store })).stdout);
    const fetched = (all: Awaited<ReturnType<typeof rows>>) =>
      all
        .filter(({ type }) => ['base image', 'fetched file', 'git repository'].includes(type))
        .map(({ type, description = '' }) => `${type} ${description}`.trim());
    const before = await rows();
    expect(fetched(before).toSorted()).toEqual(
      [
        `base image ${old}`,
        `base image ${current}`,
        `fetched file ${web.url}/old`,
        `fetched file ${web.url}/current`,
        'git repository',
        'git repository',
      ].toSorted(),
    );
    const size = before.find(({ description }) => description === `${web.url}/old`)?.size ?? 0;
    expect(size).toBeGreaterThan(300_000);
    good(await runTbuild(['prune', '--force', '--filter', 'until=24h'], { store }));
    const after = await rows();
    expect(fetched(after).toSorted()).toEqual([
      `base image ${current}`,
      `fetched file ${web.url}/current`,
      'git repository',
    ]);
    expect(JSON.stringify(after)).not.toContain('RUN echo old');
    expect(ran(await build(current, 'current', '?token=hidden'))).toEqual([]);
    // A cap covers everything that can be fetched again.
    good(await runTbuild(['prune', '--force', '--max-used-space', '1kb'], { store }));
    expect(fetched(await rows())).toEqual([]);
    expect(readdirSync(join(store, 'blobs/sha256'))).toEqual([]);
  });
});

test('prune removes nothing that a running build uses', async () => {
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

test('prune leaves the files of a build in another container alone', needs('root'), async () => {
  const store = scratchDirectory('store');
  const marker = `61${Math.floor(Math.random() * 1e6)}`;
  const context = writeFiles({
    Dockerfile:
      `FROM busybox\nRUN echo ${marker} > /f; i=0; while [ ! -e /go/go ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; cp /f /g\n`.replace(
        'RUN',
        'RUN --mount=type=cache,target=/go,id=go',
      ),
  });
  const args = ['build', '--root', store, '--progress', 'plain', '--tag', 'inside:1', ...baseImageArguments(), context];
  const inside = runChecked('unshare', ['--mount', '--pid', '--fork', '--mount-proc', program, ...args], {
    env: { HOME: scratchDirectory('home') },
  });
  const isThere = () => existsSync(join(store, 'run')) && readdirSync(join(store, 'run')).length > 0;
  for (let tries = 0; tries < 400 && !isThere(); tries++) await sleep(25);
  await buildGood({ Dockerfile: dockerfile('beside') }, { store });
  good(await runTbuild(['prune', '--all', '--force'], { store }));
  expect(isThere()).toBe(true);
  await buildGood({ Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/go,id=go touch /go/go\n' }, { store });
  await inside;
  expect(good(await runTbuild(['images'], { store })).stdout).toContain('inside');
});

test('a build sweeps the leftovers of a killed build and empties the trash', async () => {
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

test('prune --all removes the notes of layers that are gone, also those that a killed prune left', async () => {
  const store = scratchDirectory('store');
  await buildGood({ Dockerfile: 'FROM busybox\nRUN echo 1 > /one\n' }, { store, args: ['-t', 'app:1'] });
  good(await runTbuild(['images'], { store }));
  // A prune removes the record first.
  for (const name of readdirSync(join(store, 'records'))) rmSync(join(store, 'records', name));
  const notes = () => ['layers', 'digests'].flatMap((place) => readdirSync(join(store, place)));
  good(await runTbuild(['prune', '--force'], { store }));
  expect(notes()).not.toEqual([]);
  good(await runTbuild(['rmi', 'app:1'], { store }));
  good(await runTbuild(['prune', '--all', '--force'], { store }));
  expect(notes()).toEqual([]);
});

test('prune --all removes what a killed build left beside a record that it had just saved', async () => {
  const { store } = await buildGood({ Dockerfile: 'FROM busybox\nRUN echo 1 > /one\n' });
  const records = join(store, 'records');
  for (const name of readdirSync(records)) linkSync(join(records, name), join(records, `.left-${name}`));
  good(await runTbuild(['prune', '--all', '--force'], { store }));
  expect(['records', 'layers', 'snapshots'].flatMap((place) => readdirSync(join(store, place)))).toEqual(['.active']);
});

test.each([
  ['--filter', 'label=x'],
  ['--filter', 'until=soon'],
  ['--max-used-space', 'lots'],
  ['--min-free-space', 'lots'],
])('prune %s %s is refused', async (option, value) => {
  const { exitCode, stderr } = await runTbuild(['prune', '--force', option, value]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(value.replace(/^until=/, ''));
});
