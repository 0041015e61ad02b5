import {
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ranIn } from '../../support/plain-progress.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, runTbuild, writeFiles, type InlineBuild } from '../../support/tbuild.ts';

const OTHER_BOOT = '01234567-89ab-cdef-0123-456789abcdef';
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');

const FILES = {
  Dockerfile: `FROM busybox AS build
COPY src /src
RUN --mount=type=cache,target=/c cat /src/a > /out; cat /out > /c/out
FROM busybox
COPY --from=build /out /out
ARG N
RUN --mount=type=cache,target=/c cat /out /c/out > /all; echo "$N" > /n
`,
  'src/a': 'a\n',
};

const ran = (build: InlineBuild) => ranIn(build.stderr).length;
const marker = (store: string) => join(store, 'synced');
const treesOf = (store: string) => readdirSync(join(store, 'snapshots')).filter((name) => !name.startsWith('.'));
const build = async (context: string, store: string, n = '1') =>
  good(await buildContext(context, { store, args: ['--build-arg', `N=${n}`] }));

/** Waits until the background process after a build has synced the store. */
async function synced(store: string): Promise<void> {
  const newest = () =>
    Math.max(...['records', 'snapshots', 'layers'].map((name) => statSync(join(store, name)).mtimeMs));
  while (statSync(marker(store)).mtimeMs < newest()) await sleep(20);
}

/** Simulates an unclean stop of a machine that had synced everything older than `syncedAt`. */
function restart(store: string, syncedAt: number): void {
  writeFileSync(marker(store), `${OTHER_BOOT}\n`);
  utimesSync(marker(store), syncedAt / 1000, syncedAt / 1000);
}

/** Imitates files that never reached the disk: a file system may keep their size without their content. */
function zero(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) zero(path);
    else if (stats.isFile() && name !== 'stack') {
      truncateSync(path, 0);
      truncateSync(path, stats.size);
    }
  }
}

test('only a build that made something syncs the store to the disk', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  await build(context, store);
  await synced(store);
  expect(readFileSync(marker(store), 'utf8')).toBe(boot);
  const before = statSync(marker(store));
  await build(context, store);
  await sleep(100);
  expect(statSync(marker(store)).ino).toBe(before.ino);
});

test('entries that were not on disk at an unclean stop are never used, whatever their state', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  await build(context, store);
  await synced(store);
  for (const directory of ['snapshots', 'blobs', 'context-index', 'cache-mounts']) zero(join(store, directory));
  // Remove the names: this test is not about incomplete named images.
  for (const name of ['refs', 'index.json']) rmSync(join(store, name), { recursive: true });
  restart(store, 0);
  const next = await build(context, store, '2');
  expect(next.stderr).toContain('Unclean shutdown: ');
  const tree = next.tree();
  expect(tree.readText('/out')).toBe('a\n');
  expect(tree.readText('/all')).toBe('a\na\n');
  expect(tree.readText('/n')).toBe('2\n');
  expect(readFileSync(marker(store), 'utf8')).toBe(boot);
  const images = await runChecked('find', [join(store, 'blobs'), '-type', 'f', '-size', '+0']);
  for (const blob of images.trim().split('\n')) {
    const [digest] = (await runChecked('sha256sum', [blob])).split(' ');
    expect(blob).toContain(digest);
  }
});

test('the first build after an unclean stop removes every note and image name that lost its content', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  await build(context, store);
  await synced(store);
  for (const place of ['records', 'layers', 'digests', 'explain', 'builds']) zero(join(store, place));
  writeFileSync(join(store, 'refs', 'docker.io+library+lost=1'), '');
  restart(store, 0);
  const next = await build(context, store);
  expect(next.tree().readText('/all')).toBe('a\na\n');
  const { exitCode, stdout } = await runTbuild(['fsck'], { store });
  expect([exitCode, stdout]).toEqual([0, 'The store is sound\n']);
});

test('entries that were on disk at an unclean stop are kept', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  await build(context, store);
  await synced(store);
  const syncedAt = statSync(marker(store)).mtimeMs;
  const before = treesOf(store);
  await build(context, store, '2');
  await synced(store);
  expect(treesOf(store).length).toBe(before.length + 1);
  restart(store, syncedAt);
  const again = await build(context, store);
  expect(ran(again)).toBe(0);
  expect(treesOf(store).toSorted()).toEqual(before.toSorted());
  expect(ran(await build(context, store, '2'))).toBe(1);
});

test('a clean reboot discards nothing, and a store without a sync marker is not trusted', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles(FILES);
  await build(context, store);
  await synced(store);
  restart(store, statSync(marker(store)).mtimeMs);
  const trees = treesOf(store);
  expect((await build(context, store)).stderr).not.toContain('Unclean shutdown');
  expect(treesOf(store)).toEqual(trees);
  const unmarked = scratchDirectory('store');
  await runChecked('cp', ['-a', `${store}/.`, unmarked]);
  rmSync(marker(unmarked));
  const next = await build(context, unmarked);
  expect(next.stderr).toContain(`${trees.length} unsynced snapshots were discarded`);
  expect(next.tree().readText('/all')).toBe('a\na\n');
  expect(readFileSync(marker(unmarked), 'utf8')).toBe(boot);
});
