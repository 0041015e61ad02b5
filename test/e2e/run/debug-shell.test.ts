import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { buildInline, good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { startTerminal } from '../../support/terminal.ts';

const newStore = (asUser = false): string => (asUser ? userDirectory('store') : scratchDirectory('store'));

describe.each(builders)('a shell of $who', needs('tmux'), ({ asUser }) => {
  test('is in the failed step, and builds the changed Dockerfile on retry', async () => {
    const store = newStore(asUser);
    const steps = 'FROM busybox\nWORKDIR /app\nENV COLOUR=blue\n';
    const context = writeFiles({
      Dockerfile: `${steps}USER 65534\nRUN --mount=type=cache,target=/cache,uid=65534 echo kept > /cache/x; echo written > /tmp/report; exit 3\n`,
    });
    await using terminal = await startTbuild(['build', ...baseImageArguments(), '-t', 'a:1', context], {
      store,
      asUser,
    });
    await terminal.waitFor('[s]hell  [r]etry  [l]og  [q]uit');
    await terminal.send('s');
    await terminal.waitFor('(step)');
    await terminal.send('cat /tmp/report /cache/x; pwd; id -u; echo is-$COLOUR', 'Enter');
    await terminal.waitFor(/written\nkept\n\/app\n65534\nis-blue\n/);
    writeFiles({ Dockerfile: `${steps}RUN echo mended\n` }, context);
    await terminal.send('retry', 'Enter');
    await terminal.screens();
    expect(terminal.exitCode()).toBe(0);
    expect(good(await runTbuild(['images'], { store, asUser })).stdout).toMatch(/^a +1 /m);
  });

  test('has job control, Ctrl-C and the size of the terminal, and its changes are discarded', async () => {
    const store = newStore(asUser);
    good(await buildInline({ Dockerfile: 'FROM busybox\nRUN echo built > /made\n' }, { store, asUser }));
    {
      await using terminal = await startTbuild(['debug'], { store, asUser });
      await terminal.waitFor('(step)');
      await terminal.send("sh -c 'echo $((6 * 7)); exec sleep 600'", 'Enter');
      await terminal.waitFor(/^42$/m);
      await terminal.send('', 'C-c');
      await terminal.waitFor(/\^C\s*\(step\)/);
      await terminal.send('sleep 500 &', 'Enter');
      await terminal.send('jobs; echo changed > /made; cat /made', 'Enter');
      await terminal.waitFor(/^\[1\]\S* +Running +sleep 500/m);
      await terminal.waitFor(/^changed$/m);
      await terminal.resize(91, 17);
      await terminal.waitFor('changed');
      await terminal.send('until stty size | grep "17 91"; do sleep 1; done', 'Enter');
      await terminal.waitFor(/^17 91$/m);
      await terminal.send('exit', 'Enter');
      await terminal.screens();
      expect(terminal.exitCode()).toBe(0);
    }
    await using again = await startTbuild(['debug'], { store, asUser });
    await again.waitFor('(step)');
    await again.send('cat /made', 'Enter');
    await again.waitFor(/^built$/m);
  });
});

describe('a shell', needs('tmux'), () => {
  const start = (store: string, ...args: readonly string[]) => startTbuild(['debug', ...args], { store });

  test('is a static busybox of the machine where the image has none', needs('busybox'), async () => {
    const store = newStore();
    const files = { Dockerfile: 'FROM scratch\nCOPY --from=busybox /bin/busybox /false\nRUN ["/false"]\n' };
    expect((await buildInline(files, { store })).exitCode).toBe(1);
    await using terminal = await start(store);
    await terminal.waitFor('(step)');
    await terminal.send('ls / | tr "\\n" " "', 'Enter');
    const shown = await terminal.waitFor(/^dev etc false proc sys/m);
    expect(shown).toContain('as it failed: [stage-0 2/2] RUN ["/false"]');
  });

  test('is opened at a line, a stage or a step, before or after it', async () => {
    const store = newStore();
    const Dockerfile =
      'FROM busybox AS one\nRUN echo 1 > /first\nRUN echo 2 > /second\nFROM busybox\nCOPY --from=one /second /copied\n';
    good(await buildInline({ Dockerfile }, { store }));
    const cases: [args: string[], files: string][] = [
      [['--at', '2'], '/first'],
      [['--at', 'one'], '/first /second'],
      [['--at', 'one', '--before'], '/first'],
      [['--at', 'echo 1', '--before'], ''],
      [[], '/copied'],
    ];
    for (const [args, files] of cases) {
      await using terminal = await start(store, ...args);
      await terminal.waitFor('(step)');
      await terminal.send('echo "files:" $(ls -d /first /second /copied 2>/dev/null).', 'Enter');
      await terminal.waitFor(`\nfiles: ${files}.\n`);
    }
    const missing = await runTbuild(['debug', '--at', 'nowhere'], { store });
    expect(missing.exitCode).not.toBe(0);
  });

  test('gets a secret again with --secret, and mounts what the step mounts', async () => {
    const store = newStore();
    const secret = join(scratchDirectory('secret'), 's');
    writeFiles({ s: 'hush' }, join(secret, '..'));
    const files = {
      Dockerfile:
        'FROM busybox AS src\nRUN mkdir /d && echo of stage > /d/f\nFROM busybox\nRUN --mount=type=secret,id=s --mount=type=bind,from=src,source=/d,target=/d --mount=type=bind,target=/ctx exit 1\n',
      'in-context': 'of context\n',
    };
    expect((await buildInline(files, { store, args: ['--secret', `id=s,src=${secret}`] })).exitCode).toBe(1);
    await using terminal = await start(store, '--secret', `id=s,src=${secret}`);
    await terminal.waitFor('(step)');
    await terminal.send('cat /d/f /ctx/in-context /run/secrets/s; echo', 'Enter');
    await terminal.waitFor(/of stage\nof context\nhush\n/);
  });

  test('opens without a question with --on-error shell, and the build still fails', async () => {
    const store = newStore();
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN exit 9\n' });
    const args = ['build', ...baseImageArguments(), '--on-error', 'shell', context];
    await using terminal = await startTbuild(args, { store });
    await terminal.waitFor('(step)');
    await terminal.send('exit', 'Enter');
    await terminal.screens();
    expect(terminal.exitCode()).toBe(1);
    expect(await terminal.scrollback()).not.toContain('[q]uit');
  });

  test('is not offered in CI, and the question ends with q or Ctrl-C', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN exit 9\n' });
    const args = [program, 'build', ...baseImageArguments(), context];
    {
      await using ci = await startTerminal(args, { env: { TBUILD_ROOT: newStore(), CI: 'true' } });
      await ci.screens();
      expect(ci.exitCode()).toBe(1);
      expect(await ci.scrollback()).not.toContain('[q]uit');
    }
    for (const [CI, text, ...keys] of [
      ['', 'q'],
      ['false', '', 'C-c'],
    ] as const) {
      await using terminal = await startTerminal(args, { env: { TBUILD_ROOT: newStore(), CI } });
      await terminal.waitFor('[q]uit');
      await terminal.send(text, ...keys);
      await terminal.screens();
      expect(terminal.exitCode()).toBe(1);
    }
  });
});

test('a shell without a terminal is refused, with the way to get files out', async () => {
  const store = newStore();
  const { context } = await buildInline({ Dockerfile: 'FROM busybox\nRUN exit 9\n' }, { store });
  const shell = await runTbuild(['debug'], { store });
  expect(shell.exitCode).toBe(2);
  expect(shell.stderr).toBe(
    'ERROR: A shell needs a terminal\nhint: To get files of a failed step, use -o type=local,dest=DIR,from=PATH,when=failure\n',
  );
  const build = await runTbuild(['build', '--on-error', 'ask', context], { store });
  expect(build.exitCode).toBe(2);
  expect(build.stderr).toContain('--on-error ask needs a terminal');
  expect((await runTbuild(['build', '--on-error', 'never', context], { store })).stderr).toContain('--on-error');
});
