import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { storeSize } from '../../support/store-size.ts';
import { buildContext, buildGood, good, runTbuild, userDirectory } from '../../support/tbuild.ts';

const contexts = join(import.meta.dirname, '../../../fixtures/contexts');

describe.each(builders)('the store of $who', ({ asUser }) => {
  const newStore = () => (asUser ? userDirectory('store') : scratchDirectory('store'));
  const tbuild = async (store: string, ...args: string[]) => good(await runTbuild(args, { store, asUser })).stdout;

  test('lists, untags and removes images', async () => {
    const store = newStore();
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN echo x > /x\n' },
      { store, asUser, args: ['-t', 'app:1', '-t', 'app:2', '-t', 'other'] },
    );
    const listed = await tbuild(store, 'images');
    expect(listed).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE/);
    expect(listed).toMatch(/^app +1 +[0-9a-f]{12} /m);
    expect(listed).toMatch(/^other +latest +[0-9a-f]{12} /m);
    const ids = await tbuild(store, 'images', '-q');
    expect(new Set(ids.trim().split('\n'))).toEqual(
      new Set([build.id().slice('sha256:'.length, 'sha256:'.length + 12)]),
    );

    await tbuild(store, 'rmi', 'app:1', 'other');
    expect(await tbuild(store, 'images')).not.toMatch(/^app +1 |^other/m);
    const missing = await runTbuild(['rmi', 'app:1'], { store, asUser });
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('app:1');
  });

  test('frees its space with prune --all --force', async () => {
    const store = newStore();
    const files = { Dockerfile: 'FROM busybox\nRUN head -c 30000000 /dev/urandom > /large\n' };
    await buildGood(files, { store, asUser, args: ['-t', 'large:1'] });
    const kilobytes = async () => (await storeSize(store)) / 1024;
    const before = await kilobytes();
    await tbuild(store, 'prune', '--all', '--force');
    await tbuild(store, 'rmi', 'large:1').catch(() => undefined);
    await tbuild(store, 'prune', '--all', '--force');
    expect(before - (await kilobytes())).toBeGreaterThan(29_000);
    await buildGood(files, { store, asUser });
  });
});

test('history shows the sizes that docker history shows', async () => {
  const context = join(contexts, 'growing-file');
  const rows = async (tag: string, args: string[]) => {
    good(await buildContext(context, { args: ['-t', tag, ...args] }));
    return good(await runTbuild(['history', tag])).stdout.split('\n');
  };
  const twoSteps = await rows('growing:1', []);
  expect(twoSteps[0]).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE/);
  expect(twoSteps.find((row) => row.includes('rm -rf'))).toMatch(/ 0B\b/);
  expect(twoSteps.find((row) => row.includes('truncate'))).toMatch(/ 10\.5MB\b/);
  const joined = await rows('growing:2', ['-f', join(context, 'Dockerfile.joined')]);
  expect(joined.filter((row) => row.includes('RUN'))).toHaveLength(1);
  expect(joined.find((row) => row.includes('RUN'))).toMatch(/ 0B\b/);
});

test('history of an unknown image names it', async () => {
  const { exitCode, stderr } = await runTbuild(['history', 'never/built:1']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('never/built:1');
});

test('an image in the store can be the base of the next build', async () => {
  const store = scratchDirectory('store');
  await buildGood(
    { Dockerfile: 'FROM busybox\nRUN echo base > /base\nENV FROM_BASE=1\n' },
    { store, args: ['-t', 'my/base:1'] },
  );
  const build = await buildGood(
    { Dockerfile: 'FROM my/base:1\nRUN echo "$FROM_BASE" > /seen && cat /base >> /seen\n' },
    { store, images: [] },
  );
  expect(build.tree().readText('/seen')).toBe('1\nbase\n');
});

test('prune --all --force removes nothing that a running build uses', async () => {
  const store = scratchDirectory('store');
  const files = (last: string) => ({
    Dockerfile: `FROM busybox\nRUN echo one > /one\nCOPY f /f\nRUN sleep 2\nRUN cat /one /f > ${last}\n`,
    f: 'f\n',
  });
  await buildGood(files('/before'), { store });
  const running = buildGood(files('/after'), { store, args: ['--no-cache-filter', 'none'] });
  for (let round = 0; round < 8; round++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    good(await runTbuild(['prune', '--all', '--force'], { store }));
  }
  expect((await running).tree().readText('/after')).toBe('one\nf\n');
});

test('--root and TBUILD_ROOT name the same store', async () => {
  const store = scratchDirectory('store');
  const build = await buildGood({ Dockerfile: 'FROM busybox\n' }, { store, args: ['-t', 'rooted:1'] });
  const listed = good(await runTbuild(['images', '--root', build.store], { store: scratchDirectory('other') })).stdout;
  expect(listed).toContain('rooted');
});
