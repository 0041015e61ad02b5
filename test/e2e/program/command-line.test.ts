import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildGood, defaultStore, good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startTerminal } from '../../support/terminal.ts';

const images = () => baseImageArguments();

test('tbuild and tbuild build are the same', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo same > /same\n' });
  const ids = await Promise.all([['build'], []].map((verb) => runTbuild([...verb, '-q', ...images(), context])));
  expect(ids.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
});

test('-q prints the image ID and nothing else', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo quiet\n' });
  const { stdout, stderr } = good(await runTbuild(['build', '-q', ...images(), context]));
  expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect(stderr).toBe('');
});

test.each([
  ['-q', true],
  ['--progress=quiet', true],
  ['--progress=none', false],
])(
  '%s prints the whole output of a failing step, or the image ID of a successful build: %s',
  async (flag, printsId) => {
    const build = (command: string) =>
      runTbuild([
        'build',
        flag,
        ...images(),
        writeFiles({ Dockerfile: `FROM busybox\nRUN echo hidden\nRUN ${command}\n` }),
      ]);
    const failed = await build('echo "begin"; seq 300; printf end; exit 7');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toBe('');
    const [, log = ''] = failed.stderr.split('------\n');
    expect(log.replace(/^\d\S+ /gm, '').split('\n')).toEqual([
      expect.stringMatching(/^ > \[3\/3\] RUN echo "begin"/),
      'begin',
      ...Array.from({ length: 300 }, (_, index) => String(index + 1)),
      'end',
      '',
    ]);
    expect(failed.stderr).not.toMatch(/^\d\S+ hidden$/m);
    const { stdout, stderr } = good(await build('echo fine'));
    expect(stdout).toMatch(printsId ? /^sha256:[0-9a-f]{64}\n$/ : /^$/);
    expect(stderr).toBe('');
  },
);

test.each([
  ['stdout', 'tbuild --help'],
  ['stderr', 'a build'],
])('when nobody reads %s of %s any more it goes on to its end', async (stream, what) => {
  const context = writeFiles({ Dockerfile: `FROM busybox\nRUN seq 100000; echo ${stream}\n` });
  const args = what === 'a build' ? ['build', '--progress', 'plain', ...images(), context] : ['build', '--help'];
  const redirected = stream === 'stdout' ? '' : '2>&1 >/dev/null';
  const script = `exec 3>&1; { "$@" ${redirected}; echo $? >&3; } | true`;
  const env = { HOME: scratchDirectory('home'), TBUILD_ROOT: defaultStore() };
  const { stdout, stderr } = await runProcess('sh', ['-c', script, 'sh', program, ...args], { env });
  expect(stdout + stderr).toBe('0\n');
});

test('--iidfile holds what -q prints', async () => {
  const file = join(scratchDirectory('iid'), 'id');
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo iid\n' });
  const { stdout } = good(await runTbuild(['build', '-q', '--iidfile', file, ...images(), context]));
  expect(readFileSync(file, 'utf8')).toBe(stdout.trim());
});

test("plain progress prints buildx's lines", async () => {
  const build = await buildGood({
    Dockerfile: 'FROM busybox AS one\nRUN echo out\nFROM busybox\nCOPY f /f\nCOPY --from=one /etc/passwd /p\n',
    f: 'f',
  });
  const names = [...stepsIn(build.stderr).keys()];
  expect(names).toEqual(
    expect.arrayContaining([
      '[one 2/2] RUN echo out',
      '[stage-1 2/3] COPY f /f',
      '[stage-1 3/3] COPY --from=one /etc/passwd /p',
    ]),
  );
  expect(build.stderr).toMatch(/^#\d+ \d+\.\d+ out$/m);
  expect(build.stderr).toMatch(/^#\d+ DONE \d+\.\ds$/m);
});

test('--progress quiet prints nothing but failures', async () => {
  const silent = await runTbuild([
    'build',
    '--progress',
    'quiet',
    ...images(),
    writeFiles({ Dockerfile: 'FROM busybox\nRUN echo x\n' }),
  ]);
  expect(good(silent).stderr).toBe('');
  const failed = await runTbuild([
    'build',
    '--progress',
    'quiet',
    ...images(),
    writeFiles({ Dockerfile: 'FROM busybox\nRUN exit 4\n' }),
  ]);
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain('exit code: 4');
});

test('a Dockerfile on standard input may come late', async () => {
  const late = `(sleep 1; printf 'FROM scratch\\nCOPY f /f\\n') | '${program}' --root '${defaultStore()}' -f - .`;
  good(await runProcess('sh', ['-c', late], { cwd: writeFiles({ f: 'f' }), env: { HOME: scratchDirectory('home') } }));
});

test('the Dockerfile may be elsewhere, on standard input, or named dockerfile', async () => {
  const elsewhere = join(scratchDirectory('elsewhere'), 'My.Dockerfile');
  writeFiles({ 'My.Dockerfile': 'FROM busybox\nCOPY f /elsewhere\n' }, join(elsewhere, '..'));
  const context = writeFiles({ f: 'f\n' });
  const build = (...args: string[]) => runTbuild(['build', '-q', ...images(), ...args]);
  good(await build('-f', elsewhere, context));
  good(await runTbuild(['build', '-q', ...images(), '-f', '-', context], { input: 'FROM busybox\nCOPY f /stdin\n' }));
  good(await build(writeFiles({ dockerfile: 'FROM busybox\n' })));
  good(
    await runTbuild(['build', '-q', ...images(), '.'], {
      cwd: writeFiles({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: '' }),
    }),
  );
});

test('-f is relative to the working directory, not to the context', async () => {
  const cwd = writeFiles({ 'docker/Dockerfile': 'FROM busybox\nCOPY f /f\n', 'context/f': 'f\n' });
  good(await runTbuild(['build', '-q', ...images(), '-f', 'docker/Dockerfile', 'context'], { cwd }));
});

test('labels, build arguments from the environment and several tags are applied', async () => {
  const build = await buildGood(
    {
      Dockerfile:
        'FROM busybox\nARG GIVEN\nARG INHERITED\nLABEL own=1 both=file\nRUN echo "$GIVEN $INHERITED" > /args\n',
    },
    {
      args: ['--label', 'both=flag', '--label', 'new=x=y', '--build-arg', 'GIVEN=g', '--build-arg', 'INHERITED'],
      env: { INHERITED: 'from-env' },
    },
  );
  expect(build.image().config.config?.['Labels']).toEqual({ own: '1', both: 'flag', new: 'x=y' });
  expect(build.tree().readText('/args')).toBe('g from-env\n');
});

test('a named context is a directory, an OCI layout or a replaced stage', async () => {
  const extra = writeFiles({ 'x.txt': 'extra\n' });
  const build = await buildGood(
    {
      Dockerfile:
        'FROM nothing-of-that-name.invalid/x AS dep\nFROM busybox\nCOPY --from=extra x.txt /x\nCOPY --from=dep /etc/passwd /p\n',
    },
    { args: ['--build-context', `extra=${extra}`, '--build-context', `dep=${images()[1]!.replace('busybox=', '')}`] },
  );
  expect(build.tree().readText('/x')).toBe('extra\n');
  expect(build.tree().readText('/p')).toContain('root:');
});

test.each([
  [['--help'], 'Commands:'],
  [['-h'], 'Commands:'],
  [['build', '--help'], '--build-context'],
  [['help', 'prune'], '--force'],
  [['help', 'space'], 'tbuild du -v'],
  [['help', 'debug'], 'When a step fails'],
  [['help', 'debug'], 'Usage: tbuild debug'],
  [['images', '--help'], '--quiet'],
  [['prune', '--help'], '--force'],
])('%s explains itself and exits with 0', async (args, contained) => {
  const { exitCode, stdout, stderr } = await runTbuild(args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(contained);
  expect(stdout.split('\n').filter((line) => line.length > 140)).toEqual([]);
});

test('--version prints the version', async () => {
  expect(good(await runTbuild(['--version'])).stdout).toMatch(/\d+\.\d+\.\d+/);
});

test('a copied layer has the same bytes in another store', async () => {
  const files = { Dockerfile: 'FROM busybox\nCOPY f /a/b/f\nENV A=1\n', f: 'f\n' };
  const one = await buildGood(files, { store: scratchDirectory('store') });
  const two = good(await buildContext(one.context, { store: scratchDirectory('store') }));
  expect(two.image().config.rootfs).toEqual(one.image().config.rootfs);
});

describe('the launcher', () => {
  test('says so when there is no Node', async () => {
    const bin = scratchDirectory('bin');
    for (const tool of ['sh', 'dirname', 'readlink', 'uname', 'id', 'unshare', 'setpriv']) {
      await runProcess('ln', ['-s', `/usr/bin/${tool}`, join(bin, tool)]);
    }
    const { exitCode, stderr } = await runProcess('/usr/bin/env', ['-i', `PATH=${bin}`, '/bin/sh', program, '--help']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/node/i);
  });

  test('runs from anywhere, through a symbolic link', async () => {
    const link = join(scratchDirectory('link'), 'tbuild');
    await runProcess('ln', ['-s', program, link]);
    expect(await runChecked(link, ['--version'])).toMatch(/\d+\.\d+/);
  });
});

describe('on a terminal', needs('tmux'), () => {
  test('leaves the whole output of a failing step in the scrollback', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN sleep 1; seq 1 2500; exit 7\n' });
    await using terminal = await startTerminal([program, 'build', '--on-error', 'exit', ...images(), context], {
      env: { TBUILD_ROOT: defaultStore() },
    });
    await terminal.screens();
    expect(terminal.exitCode()).toBe(1);
    const text = await terminal.scrollback();
    const numbers = [...text.matchAll(/^\d\S+ (\d+)$/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
    expect(text).toContain('did not complete successfully: exit code: 7');
  });

  test('shows a live view and leaves the finished steps', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN sleep 1.5; echo visible > /v\nCOPY f /f\n', f: 'f' });
    await using terminal = await startTerminal([program, 'build', ...images(), '-t', 'terminal:1', context], {
      env: { TBUILD_ROOT: defaultStore() },
    });
    const screens = await terminal.screens();
    expect(terminal.exitCode()).toBe(0);
    expect(screens.join()).toContain('RUN sleep 1.5');
    expect(await terminal.scrollback()).toContain('COPY f /f');
  });

  test('ends with what was built, how it changed, and the next command, and puts cached steps together', async () => {
    const context = writeFiles({
      Dockerfile: 'FROM busybox\nRUN echo a > /a\nRUN sleep 1; head -c 3000000 /dev/urandom > /b\nCOPY f /f\n',
      f: 'f',
    });
    const show = async (): Promise<string> => {
      await using terminal = await startTerminal([program, 'build', ...images(), '-t', 'terminal:2', context], {
        env: { TBUILD_ROOT: defaultStore() },
      });
      await terminal.screens();
      expect(terminal.exitCode()).toBe(0);
      return await terminal.scrollback();
    };
    expect(await show()).toMatch(
      /^Built terminal:2 \([0-9a-f]{12}\), [\d.]+MB, in [\d.]+s, \d of \d steps cached\nNext: tbuild push terminal:2, or build with --load for docker run terminal:2$/m,
    );
    writeFiles({ f: 'x'.repeat(1 << 20) }, context);
    const again = await show();
    expect(again).toMatch(/CACHED \d steps: .*\[2\/4\] \[3\/4\]/);
    expect(again).toMatch(/^Built terminal:2 .*, [\d.]+MB \([\d.]+[kM]?B more than before\), in /m);
  });
});
