import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bakeDirectory } from '../../support/bake.ts';
import { baseImage, baseImageArguments } from '../../support/base-images.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { isolations } from '../../support/isolations.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { buildInline, writeFiles } from '../../support/tbuild.ts';

const newStore = (): string => scratchDirectory('store');

describe.each(isolations)('a shell in a step that was isolated by %s', needs('tmux'), (isolation) => {
  test('is isolated alike, trusts the same authorities, and has job control', async () => {
    const store = newStore();
    const directory = scratchDirectory('authority');
    await makeCertificate('Authority', { key: join(directory, 'key'), certificate: join(directory, 'ca.pem') });
    const state =
      'echo $(ls -d /proc/self/fd /sys/class 2>/dev/null) $(tail -n +2 "$SSL_CERT_FILE" | md5sum) > /tmp/seen';
    const context = writeFiles({ Dockerfile: `FROM busybox\nRUN ${state}; exit 3\n` });
    const args = ['--isolation', isolation, '--ca', 'ca.pem', ...baseImageArguments(), context];
    const shellIs = async (words: readonly string[]): Promise<void> => {
      await using terminal = await startTbuild(words, { store, cwd: directory });
      await terminal.waitFor('(step)');
      await terminal.send(`cp /tmp/seen /tmp/then; ${state}; cmp /tmp/seen /tmp/then && echo as-built`, 'Enter');
      await terminal.waitFor(/^as-built$/m);
      await terminal.send("sh -c 'echo $((6 * 7)); exec sleep 600'", 'Enter');
      await terminal.waitFor(/^42$/m);
      await terminal.send('', 'C-c');
      await terminal.waitFor(/\^C\s*\(step\)/);
      await terminal.send('sleep 500 &', 'Enter');
      await terminal.send('jobs', 'Enter');
      await terminal.waitFor(/^\[1\]\S* +Running +sleep 500/m);
    };
    await shellIs(['build', '--on-error', 'shell', ...args]);
    await shellIs(['debug']);
  });
});

describe('tbuild debug', needs('tmux'), () => {
  test('has another isolation and network if asked', needs('root'), async () => {
    const store = newStore();
    const files = { Dockerfile: 'FROM busybox\nRUN exit 3\n' };
    await buildInline(files, { store });
    const shows = async (args: readonly string[], command: string, text: RegExp): Promise<void> => {
      await using terminal = await startTbuild(['debug', ...args], { store });
      await terminal.waitFor('(step)');
      await terminal.send(command, 'Enter');
      await terminal.waitFor(text);
    };
    await shows(['--isolation', 'chroot'], 'ls /proc', /^cpuinfo +meminfo$/m);
    await shows(['--network', 'none'], 'echo interfaces: $(ls /sys/class/net)', /^interfaces: lo$/m);
  });

  test('has variables of the Dockerfile whatever their names, and names those that the record lacks', async () => {
    const store = newStore();
    const files = { Dockerfile: 'FROM busybox\nARG TOKEN\nENV APP_KEY=plain\nRUN exit 3\n' };
    await buildInline(files, { store });
    {
      await using terminal = await startTbuild(['debug'], { store });
      await terminal.waitFor('(step)');
      await terminal.send('echo key-$APP_KEY', 'Enter');
      await terminal.waitFor(/^key-plain$/m);
    }
    await buildInline(files, { store, args: ['--build-arg', 'TOKEN=hush-hush'] });
    await using terminal = await startTbuild(['debug'], { store });
    await terminal.waitFor('(step)');
    expect(await terminal.scrollback()).toMatch(/^The record lacks the values of .*TOKEN/m);
  });

  test('right after the build has the values that the record lacks', async () => {
    const store = newStore();
    const Dockerfile = 'FROM busybox\nARG TOKEN\nENV APP_TOKEN=my-$TOKEN\nRUN exit 3\n';
    const args = ['--build-arg', 'TOKEN=hush-hush', ...baseImageArguments(), writeFiles({ Dockerfile })];
    await using terminal = await startTbuild(['build', '--on-error', 'shell', ...args], { store });
    await terminal.waitFor('(step)');
    await terminal.send('echo $TOKEN, $APP_TOKEN', 'Enter');
    await terminal.waitFor(/^hush-hush, my-hush-hush$/m);
    expect(await terminal.scrollback()).not.toContain('The record lacks');
  });

  test('has the agents and keys of the build, and those of --ssh', needs('ssh-keygen'), async () => {
    const store = newStore();
    const [key = '', other = ''] = ['key', 'other'].map((name) => join(scratchDirectory('keys'), name));
    for (const file of [key, other]) execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', file]);
    const files = { Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,id=k exit 3\n' };
    await buildInline(files, { store, args: ['--ssh', `k=${key}`] });
    const shows = async (args: readonly string[], text: string): Promise<void> => {
      await using terminal = await startTbuild(['debug', ...args], { store });
      await terminal.waitFor('(step)');
      await terminal.send('test -S "$SSH_AUTH_SOCK" && echo has-agent || echo has-none', 'Enter');
      await terminal.waitFor(new RegExp(`^${text}$`, 'm'));
    };
    await shows([], 'has-agent');
    rmSync(key);
    await shows([], 'has-none');
    await shows(['--ssh', `k=${other}`], 'has-agent');
  });
});

describe('a bake on a terminal', needs('tmux'), () => {
  const definition = (dockerfile: string) => ({
    'docker-bake.json': JSON.stringify({
      group: { default: { targets: ['one', 'two'] } },
      target: {
        one: { target: 'one', contexts: { busybox: `oci-layout://${baseImage('busybox')}` } },
        two: {
          target: 'two',
          contexts: { busybox: `oci-layout://${baseImage('busybox')}` },
          secret: [{ type: 'env', id: 'token', env: 'TOKEN' }],
        },
      },
    }),
    Dockerfile: dockerfile,
  });
  const SLOW = 'FROM busybox AS one\nRUN --mount=type=cache,target=/c touch /c/begun; sleep 600\n';
  /** Fails when the other step runs. */
  const FAILING =
    'FROM busybox AS two\nRUN --mount=type=cache,target=/c --mount=type=secret,id=token until [ -e /c/begun ]; do sleep 0.1; done; exit 3\n';

  test('asks once when a step fails, ends the others, has the secrets of the target, and builds again', async () => {
    const store = newStore();
    const cwd = bakeDirectory(definition(SLOW + FAILING));
    const args = ['bake', '--allow', 'fs.read=/'];
    await using terminal = await startTbuild(args, { store, cwd, env: { TOKEN: 'hush' } });
    await terminal.waitFor('[s]hell  [r]etry  [l]og  [q]uit');
    expect(await terminal.scrollback()).toContain('CANCELED [one one 2/2]');
    await terminal.send('s');
    await terminal.waitFor('(step)');
    await terminal.send('cat /run/secrets/token; echo', 'Enter');
    await terminal.waitFor(/^hush$/m);
    writeFiles(definition('FROM busybox AS one\nFROM busybox AS two\nRUN echo mended\n'), cwd);
    await terminal.send('retry', 'Enter');
    await terminal.screens();
    expect(terminal.exitCode()).toBe(0);
    expect((await terminal.scrollback()).match(/\[q\]uit/g)).toHaveLength(1);
  });
});
