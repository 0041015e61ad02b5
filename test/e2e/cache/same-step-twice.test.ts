import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

describe.each(builders)('builds by $who that need the same step at the same time', ({ asUser }) => {
  const newStore = (): string => (asUser ? userDirectory('store') : scratchDirectory('store'));

  test('run it once, and the others take its result', async () => {
    const store = newStore();
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN sleep 2; head -c 8 /dev/urandom > /random\n' });
    const all = await Promise.all(Array.from({ length: 5 }, () => buildContext(context, { store, asUser })));
    const ran = all.flatMap((build) => ranIn(good(build).stderr));
    expect(ran).toEqual(['RUN sleep 2; head -c 8 /dev/urandom > /random']);
    expect(new Set(all.map((build) => build.image().manifest.config.digest)).size).toBe(1);
  });

  test('go on when the one that runs it is killed', async () => {
    const store = newStore();
    const context = writeFiles({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=cache,target=/c test -e /c/second || { touch /c/second; echo began; sleep 1000; }\n',
    });
    let killed = false;
    let second: ReturnType<typeof buildContext> | undefined;
    const args = ['build', '--progress', 'plain', ...baseImageArguments(), context];
    const first = await runTbuild(args, {
      store,
      asUser,
      onStart(child) {
        let output = '';
        child.stderr?.on('data', (data: Buffer) => {
          output += data.toString();
          if (second !== undefined || !/^#\d+ [\d.]+ began/m.test(output)) return;
          second = buildContext(context, {
            store,
            asUser,
            onStart(waiting) {
              let seen = '';
              waiting.stderr?.on('data', (more: Buffer) => {
                seen += more.toString();
                const holder = /waiting for process (\d+)/.exec(seen)?.[1];
                if (holder === undefined || killed) return;
                killed = true;
                process.kill(Number(holder), 'SIGKILL');
              });
            },
          });
        });
      },
    });
    expect(first.exitCode).not.toBe(0);
    expect(good(await second!).exitCode).toBe(0);
  });
});
