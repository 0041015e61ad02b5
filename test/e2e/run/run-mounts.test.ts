import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import {
  buildGood,
  buildInline,
  defaultStore,
  good,
  userDirectory,
  writeFiles,
  buildContext,
} from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

const secret = 'correct-horse-battery';

describe.each(builders)('mounts of RUN as $who', ({ asUser }) => {
  const unique = (): string => `${asUser ? 'user' : 'root'}-${Math.floor(Math.random() * 1e9)}`;
  const files = (): string => (asUser ? userDirectory('files') : scratchDirectory('files'));

  describe('bind', () => {
    test('a changed file in the source reruns the step, a file beside it does not', async () => {
      const context = writeFiles({
        'src/a': '1',
        other: '1',
        Dockerfile:
          'FROM busybox\nRUN --mount=source=src,target=/m cat /m/a > /out; head -c 9 /dev/urandom | base64 >> /out\n',
      });
      const build = async (): Promise<string> => (await buildContext(context, { asUser })).tree().readText('/out');
      const first = await build();
      writeFileSync(join(context, 'other'), '2');
      expect(await build()).toBe(first);
      writeFileSync(join(context, 'src/a'), '2');
      expect(await build()).toMatch(/^2/);
    });

    test('a part of a stage is mounted without a copy', async () => {
      const store = asUser ? userDirectory('store') : scratchDirectory('store');
      const Dockerfile = `FROM busybox AS made
RUN mkdir -p /big/in && dd if=/dev/zero of=/big/in/zeros bs=1024 count=8192 2>/dev/null && echo old > /big/old
RUN rm /big/old && echo new > /big/new
FROM busybox
RUN --mount=from=made,source=/big,target=/m ls /m /m/in > /names && if touch /m/x 2>/dev/null; then echo written; fi >> /names
RUN --mount=from=made,source=/big,target=/m,rw rm -r /m/in && touch /m/x && ls /m >> /names
`;
      const build = await buildGood({ Dockerfile }, { asUser, store });
      expect(build.tree().readText('/names')).toBe('/m:\nin\nnew\n\n/m/in:\nzeros\nnew\nx\n');
      expect(findAll(store, 'zeros')).toHaveLength(1);
    });
  });

  describe('cache', () => {
    test('persists across builds, is in no layer, and is emptied once by --no-cache', async () => {
      const id = unique();
      const Dockerfile = (word: string): string => `FROM busybox
RUN --mount=type=cache,id=${id},target=/c echo ${word} >> /c/words && cp /c/words /seen
RUN --mount=type=cache,id=${id},target=/c cp /c/words /seen-next
`;
      const seen = async (word: string, args: string[] = []): Promise<string[]> => {
        const tree = (await buildGood({ Dockerfile: Dockerfile(word) }, { asUser, args })).tree();
        expect(tree.entries.has('/c')).toBe(false);
        return [tree.readText('/seen'), tree.readText('/seen-next')];
      };
      expect(await seen('one')).toEqual(['one\n', 'one\n']);
      expect(await seen('two')).toEqual(['one\ntwo\n', 'one\ntwo\n']);
      expect(await seen('three', ['--no-cache'])).toEqual(['three\n', 'three\n']);
    });

    test('contributes neither content nor id to the cache key', async () => {
      const Dockerfile = (id: string): string =>
        `FROM busybox\nRUN --mount=type=cache,id=${id},target=/c head -c 9 /dev/urandom | base64 > /random\n`;
      const first = await buildGood({ Dockerfile: Dockerfile(unique()) }, { asUser });
      const second = await buildGood({ Dockerfile: Dockerfile(unique()) }, { asUser });
      expect(second.tree().readText('/random')).toBe(first.tree().readText('/random'));
    });

    const MEET = 'touch /meet/$NAME; until [ -e /meet/a ] && [ -e /meet/b ]; do sleep 0.05; done';
    /** Builds twice at once. Steps that may run together wait for each other between writing and reading. */
    const overlapping = (sharing: string, id: string): Promise<string[]> => {
      const [meeting, wait] =
        sharing === 'locked' ? ['', 'sleep 1'] : [`--mount=type=cache,id=${id}-meet,target=/meet`, MEET];
      const Dockerfile = (name: string): string =>
        `FROM busybox\nRUN ${meeting} --mount=type=cache,id=${id},target=/c,sharing=${sharing} NAME=${name}; echo ${name} >> /c/log; ${wait}; : ${id}; cp /c/log /seen; echo end >> /c/log\n`;
      return Promise.all(
        ['a', 'b'].map(async (name) =>
          (await buildGood({ Dockerfile: Dockerfile(name) }, { asUser })).tree().readText('/seen'),
        ),
      );
    };

    test('shared lets two concurrent builds use the same directory', async () => {
      const seen = await overlapping('shared', unique());
      for (const log of seen)
        expect(
          log
            .split('\n')
            .filter((line) => /^[ab]$/.test(line))
            .sort(),
        ).toEqual(['a', 'b']);
    });

    test('locked makes the second build wait for the first', async () => {
      const seen = (await overlapping('locked', unique())).sort((a, b) => a.length - b.length);
      expect(seen[0]).toMatch(/^[ab]\n$/);
      expect(seen[1]).toMatch(/^[ab]\nend\n[ab]\n$/);
    });

    test('private gives the second build its own directory', async () => {
      const seen = await overlapping('private', unique());
      expect(seen.sort()).toEqual(['a\n', 'b\n']);
    });

    test('locked applies between steps of one build, and steps with two mounts do not deadlock', async () => {
      const [x, y] = [unique(), unique()];
      const mount = (id: string): string => `--mount=type=cache,id=${id},target=/${id},sharing=locked`;
      const Dockerfile = `FROM busybox AS a
RUN ${mount(x)} ${mount(y)} sleep 0.3; echo a >> /${x}/log; echo a >> /${y}/log; touch /done
FROM busybox AS b
RUN ${mount(y)} ${mount(x)} sleep 0.3; echo b >> /${x}/log; echo b >> /${y}/log; touch /done
FROM busybox
COPY --from=a /done /a
COPY --from=b /done /b
RUN ${mount(x)} ${mount(y)} cmp /${x}/log /${y}/log && cp /${x}/log /log
`;
      const build = await buildGood({ Dockerfile }, { asUser });
      expect(build.tree().readText('/log').trim().split('\n').sort()).toEqual(['a', 'b']);
    });

    test('a killed build releases its lock', async () => {
      const id = unique();
      const mount = `--mount=type=cache,id=${id},target=/c,sharing=locked`;
      const marker = `30.${Math.floor(Math.random() * 1e9)}`;
      const kill = (child: { kill(signal: 'SIGKILL'): boolean }): void => {
        const timer = setInterval(() => {
          if (processesNaming(`sleep\0${marker}`).length === 0) return;
          clearInterval(timer);
          child.kill('SIGKILL');
        }, 25);
      };
      const killed = await buildInline(
        { Dockerfile: `FROM busybox\nRUN ${mount} echo 1 > /c/f; sleep ${marker}\n` },
        { asUser, onStart: kill },
      );
      expect(killed.exitCode).toBe(137);
      const next = await buildGood({ Dockerfile: `FROM busybox\nRUN ${mount} cp /c/f /f\n` }, { asUser });
      expect(next.tree().readText('/f')).toBe('1\n');
    });
  });

  describe('secret', () => {
    const use = (options: string, command: string): string =>
      `FROM busybox\nRUN --mount=type=secret,id=token${options} ${command}\n`;

    test('is a file or a variable, and stored nowhere else', async () => {
      const store = asUser ? userDirectory('store') : scratchDirectory('store');
      const Dockerfile = `FROM busybox
RUN --mount=type=secret,id=token stat -c '%a %u:%g' /run/secrets/token > /mode; wc -c < /run/secrets/token >> /mode
RUN --mount=type=secret,id=token,env=TOKEN,required test "$TOKEN" = ${secret.slice(0, 5)}"${secret.slice(5)}" && test ! -e /run/secrets/token && echo yes > /variable
RUN --mount=type=secret,id=token,env=TOKEN,target=/t,mode=0440,uid=7,gid=8 stat -c '%a %u:%g' /t > /both && test "$(cat /t)" = "$TOKEN"
RUN --mount=type=secret,id=token grep -c ' /run/secrets/token .*tmpfs' /proc/mounts > /tmpfs
`;
      const build = await buildGood(
        { Dockerfile },
        { asUser, store, args: ['--secret', 'id=token,env=OUTER'], env: { OUTER: secret } },
      );
      const tree = build.tree();
      expect(tree.readText('/mode')).toBe(`400 0:0\n${secret.length}\n`);
      expect(tree.readText('/variable')).toBe('yes\n');
      expect(tree.readText('/both')).toBe('440 7:8\n');
      expect(tree.readText('/tmpfs')).toBe('1\n');
      expect(tree.entries.has('/run/secrets') || tree.entries.has('/t')).toBe(false);
      expect(filesWith(store, secret)).toEqual([]);
      expect(readdirSync(join(store, 'run'))).toEqual([]);
    });

    test('another value reruns no step', async () => {
      const Dockerfile = use('', 'wc -c < /run/secrets/token > /length');
      const build = (value: string) =>
        buildGood({ Dockerfile }, { asUser, args: ['--secret', 'id=token,env=OUTER'], env: { OUTER: value } });
      const first = await build('short');
      expect((await build('rather-longer')).tree().readText('/length')).toBe(first.tree().readText('/length'));
    });

    test('is masked in errors and in the log, also when printed in pieces', async () => {
      const [head, tail] = [secret.slice(0, 8), secret.slice(8)];
      const command = `cat /run/secrets/token; echo; printf %s ${head}; sleep 0.2; echo ${tail}; echo "<$(cat /run/secrets/token)>" >&2; exit 3`;
      const build = await buildInline(
        { Dockerfile: use('', command) },
        { asUser, args: ['--secret', 'id=token,env=OUTER'], env: { OUTER: secret } },
      );
      expect(build.exitCode).toBe(1);
      expect(build.stdout + build.stderr).not.toContain(secret);
      expect(build.stderr).toMatch(/ \*\*\*\n.* \*\*\*\n/);
      expect(build.stderr).toContain('<***>');
    });

    test('is the file of its id, also where objects have something of that name', async () => {
      const cwd = writeFiles({ constructor: 'of the file' });
      const Dockerfile = 'FROM busybox\nRUN --mount=type=secret,id=constructor cp /run/secrets/constructor /out\n';
      const build = await buildGood({ Dockerfile }, { asUser, cwd, args: ['--secret', 'id=constructor'] });
      expect(build.tree().readText('/out')).toBe('of the file');
    });

    test('may be missing unless it is required', async () => {
      await buildGood({ Dockerfile: use('', 'test ! -e /run/secrets/token') }, { asUser });
      const build = await buildInline({ Dockerfile: use(',required', 'true') }, { asUser });
      expect(build.exitCode).toBe(1);
      expect(build.stderr).toContain('Secret token: not found, and this step requires it');
    });

    test('is an empty variable where it is optional and missing', async () => {
      const mount = '--mount=type=secret,id=none,env=NAME --mount=type=secret,id=none,target=/file';
      const Dockerfile = `FROM busybox\nRUN ${mount} echo "[\${NAME-unset}]" > /out && test ! -e /file\n`;
      expect((await buildGood({ Dockerfile }, { asUser })).tree().readText('/out')).toBe('[]\n');
    });

    test('is at most 500 KiB', async () => {
      const file = join(files(), 'large');
      writeFileSync(file, Buffer.alloc(500 * 1024, 'x'));
      const build = () =>
        buildInline(
          { Dockerfile: use('', 'wc -c < /run/secrets/token') },
          { asUser, args: ['--secret', `id=token,src=${file}`, '--no-cache'] },
        );
      good(await build());
      writeFileSync(file, Buffer.alloc(500 * 1024 + 1, 'x'));
      const refused = await build();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toContain('512001 bytes');
    });
  });

  describe('ssh', () => {
    const list =
      'FROM debian\nRUN --mount=type=ssh ssh-add -L > /keys; stat -c "%a %u:%g" "$SSH_AUTH_SOCK" >> /keys; ssh-add -D && touch /removed; true\n';
    /** A Debian with OpenSSH's client. */
    const withClient = (commands: string): string =>
      commands.replace('FROM debian', `FROM debian\nCOPY --from=client / /`);
    const clientContext = (): string[] => ['--build-context', `client=${sshClientFiles(files())}`];

    test('forwards an agent for listing and signing only', async () => {
      await using agent = await startAgent(asUser, files());
      const args = ['--ssh', 'default', ...clientContext()];
      const build = await buildGood(
        { Dockerfile: withClient(list) },
        { asUser, images: ['debian'], args, env: { SSH_AUTH_SOCK: agent.socket } },
      );
      const tree = build.tree();
      expect(tree.readText('/keys')).toBe(`${agent.publicKey}600 0:0\n`);
      expect(tree.entries.has('/removed') || tree.entries.has('/run/buildkit')).toBe(false);
    });

    test('serves key files through a built-in agent', async () => {
      const directory = files();
      const key = makeKey(directory, asUser);
      const args = ['--no-cache', '--ssh', `default=${key}`, ...clientContext()];
      const build = await buildGood({ Dockerfile: withClient(list) }, { asUser, images: ['debian'], args });
      expect(build.tree().readText('/keys')).toBe(`${readFileSync(`${key}.pub`, 'utf8')}600 0:0\n`);
    });

    test('gives the socket the requested mode and owner', async () => {
      const key = makeKey(files(), asUser);
      const Dockerfile =
        'FROM busybox\nRUN --mount=type=ssh,id=k,mode=0666,uid=7,gid=8,target=/a/sock stat -c "%F %a %u:%g" /a/sock > /out; echo $SSH_AUTH_SOCK >> /out\n';
      const build = await buildGood({ Dockerfile }, { asUser, args: ['--ssh', `k=${key}`] });
      expect(build.tree().readText('/out')).toBe('socket 666 7:8\n/a/sock\n');
    });

    test('may be missing unless it is required', async () => {
      await buildGood({ Dockerfile: 'FROM busybox\nRUN --mount=type=ssh test ! -e "$SSH_AUTH_SOCK"\n' }, { asUser });
      const build = await buildInline({ Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,required true\n' }, { asUser });
      expect(build.exitCode).toBe(1);
      expect(build.stderr).toContain('SSH agent "default" is required');
    });
  });

  test('--ulimit, --shm-size and --add-host apply to a step', async () => {
    const Dockerfile =
      'FROM busybox\nRUN (ulimit -n; ulimit -Hn; ulimit -c; df -k /dev/shm | tail -n 1 | awk "{print \\$2}"; grep -E "one|gate" /etc/hosts) > /out\n';
    const args = [
      '--ulimit',
      'nofile=100:200',
      '--ulimit',
      'core=0',
      '--shm-size',
      '1m',
      '--add-host',
      'one:192.0.2.1',
      '--add-host',
      'gate:host-gateway',
      '--network=host',
    ];
    const build = await buildGood({ Dockerfile }, { asUser, args });
    expect(build.tree().readText('/out')).toBe('100\n200\n0\n1024\n192.0.2.1\tone\n127.0.0.1\tgate\n');
  });

  test('extra privileges of a step require --allow', async () => {
    const host = { Dockerfile: 'FROM busybox\nRUN --network=host true\n' };
    const refused = await buildInline(host, { asUser });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('"network.host" is not allowed');
    await buildGood(host, { asUser, args: ['--allow', 'network.host'] });
    await buildGood(host, { asUser, args: ['--network', 'host'] });
    const insecure = {
      Dockerfile:
        'FROM busybox\nRUN --security=insecure grep CapEff /proc/self/status > /caps; mount -t tmpfs none /tmp && touch /tmp/x\n',
    };
    expect((await buildInline(insecure, { asUser })).stderr).toContain('"security.insecure" is not allowed');
    const build = await buildGood(insecure, { asUser, args: ['--allow', 'security.insecure'] });
    const capabilities = BigInt(`0x${build.tree().readText('/caps').trim().split(/\s+/)[1] ?? ''}`);
    expect((capabilities >> 21n) & 1n).toBe(1n);
  });

  test('the steps of these tests left nothing in the store', () => {
    expect(readdirSync(join(defaultStore(asUser), 'run')).filter((name) => !/^(files|step)-/.test(name))).toEqual([]);
  });
});

describe.each(['namespace', 'oci', 'chroot'])('isolation %s', (isolation) => {
  const runtime = { met: isolation !== 'oci' || hasRuntime(), lacks: 'an OCI runtime' };
  test('provides every kind of mount, and leaves nothing behind', needs(runtime), async () => {
    const directory = scratchDirectory('isolated');
    const store = scratchDirectory('store');
    const Dockerfile = `FROM busybox AS made
RUN mkdir -p /d/s && echo 1 > /d/f && echo 2 > /d/g
RUN rm /d/f
FROM busybox
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo yes > /ssh
RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /secret
RUN --mount=type=cache,target=/c echo x >> /c/words
RUN --mount=type=cache,target=/c,sharing=locked cp /c/words /cache
RUN --mount=from=made,source=/d,target=/m ls /m > /bind
RUN --mount=from=made,source=/d,target=/m,rw rm /m/g && touch /m/n && ls /m >> /bind
RUN --mount=target=/m,source=a cat /m > /file
RUN --mount=type=tmpfs,target=/t touch /t/x && ls /t > /tmpfs
RUN <<EOF
#!/bin/sh
echo script > /script
EOF
`;
    const args = [
      '--isolation',
      isolation,
      '--ssh',
      `default=${makeKey(directory, false)}`,
      '--secret',
      'id=token,env=OUTER',
    ];
    const build = await buildGood({ Dockerfile, a: 'content' }, { store, args, env: { OUTER: secret } });
    const tree = build.tree();
    const made = ['ssh', 'secret', 'cache', 'bind', 'file', 'tmpfs', 'script'];
    expect(made.map((name) => tree.readText(`/${name}`))).toEqual([
      'yes\n',
      `${secret.length}\n`,
      'x\n',
      'g\ns\nn\ns\n',
      'content',
      'x\n',
      'script\n',
    ]);
    expect(['/run/secrets', '/run/buildkit', '/c', '/m', '/t'].filter((path) => tree.entries.has(path))).toEqual([]);
    expect(filesWith(store, secret)).toEqual([]);
  });
});

function hasRuntime(): boolean {
  return ['crun', 'runc', 'youki'].some((name) =>
    ['/usr/bin', '/usr/sbin', '/usr/local/bin'].some((directory) => existsSync(join(directory, name))),
  );
}

function findAll(directory: string, name: string): string[] {
  return execFileSync('find', [directory, '-name', name], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

function filesWith(directory: string, text: string): string[] {
  try {
    return execFileSync('grep', ['-rlaF', '--', text, directory], { encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch {
    // grep exits with 1 when it finds nothing.
    return [];
  }
}

/** ssh-add and the libraries that it needs beside those of the Debian fixture. */
function sshClientFiles(directory: string): string {
  const target = join(directory, 'client');
  const listed = execFileSync('ldd', ['/usr/bin/ssh-add'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const path of ['/usr/bin/ssh-add', ...listed]) {
    const place = join(target, path.replace(/^\/lib/, '/usr/lib'));
    mkdirSync(join(place, '..'), { recursive: true });
    execFileSync('cp', ['-L', path, place]);
  }
  return target;
}

function makeKey(directory: string, asUser: boolean): string {
  const path = join(directory, 'key');
  if (existsSync(path)) return path;
  execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-C', 'test key', '-f', path]);
  if (asUser) execFileSync('chown', [`${ordinaryUser().uid}:${ordinaryUser().gid}`, path, `${path}.pub`]);
  return path;
}

async function startAgent(
  asUser: boolean,
  directory: string,
): Promise<{ socket: string; publicKey: string } & AsyncDisposable> {
  const socket = join(directory, 'agent');
  const prefix = asUser
    ? ['setpriv', '--reuid', ordinaryUser().name, '--regid', ordinaryUser().name, '--init-groups']
    : ['env'];
  const [file = '', ...args] = [...prefix, 'ssh-agent', '-D', '-a', socket];
  const child = spawn(file, args, { stdio: 'ignore' });
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
  const key = makeKey(directory, asUser);
  execFileSync(prefix[0] ?? '', [...prefix.slice(1), 'ssh-add', '-q', key], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    stdio: 'ignore',
  });
  return {
    socket,
    publicKey: readFileSync(`${key}.pub`, 'utf8'),
    async [Symbol.asyncDispose]() {
      child.kill();
      await new Promise((resolve) => child.on('close', resolve));
    },
  };
}
