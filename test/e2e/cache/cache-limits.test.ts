import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { patiently } from '../../support/patience.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const MEGABYTE = 1_000_000;

interface Build {
  readonly store: string;
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  readonly bytes?: number;
}

/** Builds a step whose tree and layer take three megabytes each. */
function build(name: string, { store, env, args = ['-o', 'type=cacheonly'], bytes = 3_000_000 }: Build) {
  const Dockerfile = `FROM busybox\nRUN head -c ${bytes} /dev/urandom > /${name}\nRUN echo ${name} > /second\n`;
  return buildGood({ Dockerfile }, { store, env, args });
}

async function buildAll(names: string, options: Build): Promise<void> {
  for (const name of names) await build(name, options);
}

async function rowsOf(store: string): Promise<{ readonly type: string; readonly size: number }[]> {
  const { stdout } = good(await runTbuild(['du', '--format', 'json'], { store }));
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function cacheOf(store: string): Promise<number> {
  const rows = await rowsOf(store);
  return rows.filter(({ type }) => type === 'step' || type === 'tree').reduce((sum, { size }) => sum + size, 0);
}

/** Waits for the process that keeps the limits after a build, and returns what the cache holds then. */
function cacheBelow(bytes: number, store: string): Promise<number> {
  return vi.waitFor(async () => {
    const size = await cacheOf(store);
    expect(size).toBeLessThanOrEqual(bytes);
    return size;
  }, patiently);
}

describe('a cap on the cache', () => {
  test('holds after each build, and takes what was used first', async () => {
    const store = scratchDirectory('store');
    // The base takes four megabytes.
    const options = { store, env: { TBUILD_MAX_USED_SPACE: '18MB' } };
    await buildAll('ab', options);
    expect(ranIn((await build('a', options)).stderr)).toEqual([]);
    // "a" was used again, so "b" has to go for "c".
    await build('c', options);
    expect(await cacheBelow(18 * MEGABYTE, store)).toBeGreaterThan(12 * MEGABYTE);
    expect(ranIn((await build('a', { store })).stderr)).toEqual([]);
    expect(ranIn((await build('b', { store })).stderr)).toHaveLength(2);
  });

  test('takes no image that has a name', async () => {
    const store = scratchDirectory('store');
    await build('a', { store, args: ['-t', 'app:1'] });
    const images = async () => (await rowsOf(store)).find(({ type }) => type === 'image blobs')?.size;
    const before = await images();
    await build('b', { store, env: { TBUILD_MAX_USED_SPACE: '1kB' } });
    await cacheBelow(1000, store);
    expect(before).toBeGreaterThan(3 * MEGABYTE);
    expect(await images()).toBe(before);
    good(await runTbuild(['save', '-o', join(scratchDirectory('saved'), 'app.tar'), 'app:1'], { store }));
  });

  test('that is no size is refused', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\n' });
    const refused = await runTbuild(['build', context], { env: { TBUILD_MAX_USED_SPACE: 'much' } });
    expect(refused.exitCode).toBe(2);
  });

  test('reads no tree whose size is recorded', needs('strace'), async () => {
    const store = scratchDirectory('store');
    await buildAll('a', { store });
    const log = join(scratchDirectory('trace'), 'log');
    const treesRead = async (): Promise<number> => {
      const filter = ['-f', '-qq', '-e', 'trace=openat', '-o', log];
      const prune = [program, '--root', store, 'prune', '--force', '--max-used-space', '100GB'];
      await runChecked('strace', [...filter, ...prune]);
      return readFileSync(log, 'utf8').match(/snapshots\/\w+\/fs.*O_DIRECTORY/g)?.length ?? 0;
    };
    expect(await treesRead()).toBeGreaterThan(0);
    expect(await treesRead()).toBe(0);
  });
});

describe('a disk with less free space than wanted', () => {
  const tooMuch = ['--min-free-space', '1000TB', '--reserved-space', '5MB'];

  test('shrinks the cache to what is reserved, by hand', async () => {
    const store = scratchDirectory('store');
    await buildAll('abcd', { store });
    const before = await cacheOf(store);
    good(await runTbuild(['prune', '--force', '--min-free-space', '1kB'], { store }));
    expect(await cacheOf(store)).toBe(before);
    good(await runTbuild(['prune', '--force', ...tooMuch], { store }));
    expect(await cacheOf(store)).toBeLessThanOrEqual(5 * MEGABYTE);
    expect(await cacheOf(store)).toBeGreaterThan(0);
  });

  test('shrinks the cache after each build', async () => {
    const store = scratchDirectory('store');
    const env = { TBUILD_MIN_FREE_SPACE: '1000TB', TBUILD_RESERVED_SPACE: '5MB' };
    await buildAll('abcd', { store, env });
    await cacheBelow(5 * MEGABYTE, store);
  });

  test('keeps a tenth of the disk free by default, and an image that has a name', needs('root'), async () => {
    const store = join(scratchDirectory('small'), 'store');
    mkdirSync(store);
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', store]);
    const enoughFree = () =>
      vi.waitFor(() => {
        const { bavail, blocks } = statfsSync(store);
        expect(bavail).toBeGreaterThanOrEqual(blocks / 10);
      }, patiently);
    const bytes = 1_300_000;
    const env = { TBUILD_MIN_FREE_SPACE: '', TBUILD_MAX_USED_SPACE: '' };
    try {
      await build('a', { store, env, args: ['-t', 'app:1'] });
      // More than the disk can hold.
      for (const name of 'bcdefghijklm') {
        await build(name, { store, env, bytes });
        await enoughFree();
      }
      expect(ranIn((await build('m', { store, env, bytes })).stderr)).toEqual([]);
      good(await runTbuild(['inspect', 'app:1'], { store }));
    } finally {
      await runChecked('umount', ['-l', store]);
    }
  });
});

test('a store without recorded sizes learns them', async () => {
  const store = scratchDirectory('store');
  await build('a', { store });
  expect(existsSync(join(store, 'sizes'))).toBe(false);
  await build('b', { store, env: { TBUILD_MAX_USED_SPACE: '30MB' } });
  await vi.waitFor(() => {
    const sizes = JSON.parse(readFileSync(join(store, 'sizes'), 'utf8'));
    // The base and two steps of two builds.
    expect(Object.keys(sizes)).toHaveLength(5);
  }, patiently);
});
