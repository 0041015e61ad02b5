import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGate } from '../../support/gate.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, type InlineBuildOptions } from '../../support/tbuild.ts';

test('mounts=true exports and imports the directories of cache mounts', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  const dockerfile = (n: number) =>
    `FROM busybox\nRUN --mount=type=cache,target=/c,id=carried mkdir -p /c/d; echo ${n} >> /c/d/log; ln -sf d/log /c/last; cp /c/last /seen\n`;
  await buildGood(
    { Dockerfile: dockerfile(1) },
    { store: scratchDirectory('store'), args: ['--cache-to', `type=local,dest=${cache},mounts=true`] },
  );
  const store = scratchDirectory('store');
  const args = ['--cache-from', `type=local,src=${cache}`];
  const next = await buildGood({ Dockerfile: dockerfile(2) }, { store, args });
  expect(next.tree().readText('/seen')).toBe('1\n2\n');
  // An existing directory is not replaced, and without the cache there is nothing to import.
  expect((await buildGood({ Dockerfile: dockerfile(3) }, { store, args })).tree().readText('/seen')).toBe('1\n2\n3\n');
  expect(
    (await buildGood({ Dockerfile: dockerfile(4) }, { store, args: [...args, '--no-cache'] })).tree().readText('/seen'),
  ).toBe('4\n');
});

test('a cache mount is exported when no step of another build uses it', async () => {
  await using gate = await startGate();
  const [cache, store] = [join(scratchDirectory('cache'), 'made'), scratchDirectory('store')];
  const build = (run: string, args: readonly string[], more: InlineBuildOptions = {}) =>
    buildGood(
      { Dockerfile: `FROM busybox\nRUN --mount=type=cache,target=/c,id=busy ${run}\n` },
      { store, args: ['--network', 'host', ...args], ...more },
    );
  const other = build(`echo 1 > /c/begun; ${gate.wait('end')}; echo 2 > /c/ended`, []);
  await gate.reached('end');
  await build('true', ['--cache-to', `type=local,dest=${cache},mounts=true`], {
    onStart(child) {
      let output = '';
      child.stderr?.on('data', (data: Buffer) => {
        output += data.toString();
        if (output.includes('waiting for cache mount "busy", which another step uses')) gate.open('end');
      });
    },
  });
  gate.open('end');
  await other;
  const from = ['--cache-from', `type=local,src=${cache}`];
  const next = await build('cat /c/* > /seen', from, { store: scratchDirectory('store') });
  expect(next.tree().readText('/seen')).toBe('1\n2\n');
});
