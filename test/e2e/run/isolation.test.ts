import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { startGate } from '../../support/gate.ts';
import { startGitServer } from '../../support/git-server.ts';
import { isolations } from '../../support/isolations.ts';
import { processesBelow, processesNaming } from '../../support/leftovers.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess, type ProcessOptions } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import {
  buildGood,
  buildInline,
  defaultStore,
  good,
  runTbuild,
  userDirectory,
  writeFiles,
} from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

/** Builds a Dockerfile with a shell script before the program, which ends with `exec "$@"`. */
function buildAfter(script: string, Dockerfile: string, args: readonly string[], options: ProcessOptions = {}) {
  const words = ['build', '--progress', 'plain', '--no-cache', ...baseImageArguments(), ...args];
  return runProcess('sh', ['-c', script, 'sh', program, ...words, writeFiles({ Dockerfile })], {
    ...options,
    env: { HOME: scratchDirectory('home'), TBUILD_ROOT: defaultStore(), ...options.env },
  });
}

/** Returns what the steps of a build printed. */
function printed(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^#\d+ \d+\.\d+ (.*)$/gm)].map(([, line = '']) => line);
}

describe.each(isolations)('a step, isolation %s,', (isolation) => {
  const args = ['--isolation', isolation];

  test('inherits no descriptor of tbuild', async () => {
    const tries = Array.from({ length: 28 }, (_, at) => `( : <&${at + 3} ) 2> /dev/null && echo descriptor ${at + 3}`);
    const Dockerfile = `FROM busybox\nRUN echo begin; ${tries.join('; ')}; echo end\n`;
    const { stderr } = good(await buildAfter('exec 7< / 9< /etc/passwd; exec "$@"', Dockerfile, args));
    expect(printed(stderr)).toEqual(['begin', 'end']);
  });

  test('that crashes leaves no core file with its secrets, unless it asks for one', async () => {
    const token = randomBytes(12).toString('hex');
    const Dockerfile = `FROM busybox
WORKDIR /crash
RUN --mount=type=secret,id=t,env=TOKEN ulimit -c; ulimit -Hc; (kill -SEGV $(sh -c 'echo $PPID')); ls
`;
    const { stderr } = good(
      await buildAfter('ulimit -c unlimited; exec "$@"', Dockerfile, [...args, '--secret', 'id=t,env=TOKEN_OUTSIDE'], {
        env: { TOKEN_OUTSIDE: token },
      }),
    );
    expect(printed(stderr).filter((line) => !line.includes('Segmentation'))).toEqual(['0', 'unlimited']);
  });

  test('has the limits of --ulimit, also for core files', async () => {
    const limits = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=1024:2048'];
    const { stderr } = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc\n' },
      { args: [...args, '--no-cache', ...limits] },
    );
    // Of core files in blocks of 512 bytes.
    expect(printed(stderr)).toEqual(['100', '200', '2', '4']);
  });

  test('cannot change a control group, or make one', async () => {
    const names =
      'cgroup.procs tasks release_agent notify_on_release devices.allow memory.limit_in_bytes memory.max pids.max';
    const files = `$(find /sys/fs/cgroup ${names
      .split(' ')
      .map((name) => `-name ${name}`)
      .join(' -o ')})`;
    const tries = [
      'exec 2> /dev/null',
      `for f in ${files}; do cat $f > /tmp/v; (cat /tmp/v > $f) && echo $f; (echo 0 > $f) && echo $f; done`,
      'for d in $(find /sys/fs/cgroup -type d); do mkdir $d/made && echo $d; done',
      'mount -o remount,rw /sys/fs/cgroup && echo remounted',
      'mkdir /g; mount -t cgroup -o memory none /g && echo version 1; mount -t cgroup2 none /g && echo version 2',
    ];
    const { stderr } = await buildGood(
      { Dockerfile: `FROM busybox\nRUN echo begin; ${tries.join('; ')}; echo end\n` },
      { args: [...args, '--no-cache'] },
    );
    expect(printed(stderr)).toEqual(['begin', 'end']);
  });
});

// A runtime gives steps control groups outside of this one.
test.each(['namespace', 'chroot'])(
  'a step that forks endlessly without a limit ends by Ctrl-C, isolation %s',
  needs('root'),
  async (isolation) => {
    await using group = makeProcessGroup(200);
    const name = `bomb_${randomBytes(4).toString('hex')}`;
    const Dockerfile = `FROM busybox\nRUN ${name}() { ${name} | ${name} & }; ${name}; sleep 1000\n`;
    const { exitCode } = await buildAfter(
      `echo $$ > ${group.path}/cgroup.procs; exec "$@"`,
      Dockerfile,
      ['--isolation', isolation, '--network', 'host'],
      { onStart: (child) => void eventually(group.hasRefused).then(() => child.kill('SIGINT')) },
    );
    expect(exitCode).toBe(130);
    expect(processesNaming(name)).toEqual([]);
  },
);

/** Makes a control group for so many processes. Steps that tbuild runs in it are in it too. */
function makeProcessGroup(most: number): AsyncDisposable & { readonly path: string; hasRefused(): boolean } {
  const old = '/sys/fs/cgroup/pids';
  const path = join(
    existsSync(old) ? old : '/sys/fs/cgroup',
    `tbuild-test-${process.pid}-${randomBytes(4).toString('hex')}`,
  );
  mkdirSync(path);
  writeFileSync(join(path, 'pids.max'), String(most));
  return {
    path,
    hasRefused: () => !readFileSync(join(path, 'pids.events'), 'utf8').startsWith('max 0'),
    async [Symbol.asyncDispose]() {
      // Background work of the build is in it too.
      await eventually(() => readFileSync(join(path, 'cgroup.procs'), 'utf8') === '');
      rmdirSync(path);
    },
  };
}

/** Speaks the protocol of ssh agents: how many keys there are, and the answers to every other request. */
const ASK_AGENT = `#!/usr/bin/perl
use IO::Socket::UNIX;
sub ask { my $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die; print $s pack("N", length $_[0]) . $_[0]; $s->flush; read $s, my $n, 4; read $s, my $a, unpack("N", $n); return $a }
my ($type, $keys) = unpack "CN", ask(pack "C", 11);
print "keys $keys\\n";
for (17 .. 27) { print "answers $_\\n" unless ask(pack("C", $_) . "\\0" x 8) eq pack("C", 5) }
`;

describe.each(builders)('built by $who,', ({ asUser }) => {
  test('a step has the keys of the agent that it names, and can neither add, remove nor lock any', async () => {
    const directory = asUser ? userDirectory('keys') : scratchDirectory('keys');
    const keyOf = (name: string): string => {
      const file = join(directory, name);
      execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', file]);
      chmodSync(file, 0o644);
      return file;
    };
    const args = ['--no-cache', '--ssh', `a=${keyOf('1')},${keyOf('2')}`, '--ssh', `b=${keyOf('3')}`];
    const Dockerfile = `FROM debian
COPY ask /
RUN --mount=type=ssh,id=a /ask
RUN --mount=type=ssh,id=b /ask
`;
    const build = await buildGood({ Dockerfile, ask: ASK_AGENT }, { asUser, args, images: ['debian'] });
    expect(printed(build.stderr).filter((line) => /^(keys|answers)/.test(line))).toEqual(['keys 2', 'keys 1']);
  });

  test('the socket of an agent is there for its own step only', async () => {
    const directory = asUser ? userDirectory('key') : scratchDirectory('key');
    const key = join(directory, 'key');
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', key]);
    chmodSync(key, 0o644);
    await using gate = await startGate();
    const Dockerfile = `FROM busybox
RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && ${gate.wait('with')}
RUN find / -xdev -type s; test -z "$SSH_AUTH_SOCK" && ${gate.wait('without')}
`;
    let child: ChildProcess | undefined;
    const found: number[] = [];
    const look = async (): Promise<void> => {
      for (const step of ['with', 'without']) {
        await gate.reached(step);
        found.push(child === undefined ? NaN : agentsBelow(child));
        gate.open(step);
      }
    };
    const args = ['--no-cache', '--network', 'host', '--ssh', `default=${key}`];
    const building = buildGood({ Dockerfile }, { asUser, args, onStart: (started) => void (child = started) });
    const [{ stderr }] = await Promise.all([building, look()]);
    expect(found).toEqual([1, 0]);
    expect(printed(stderr).filter((line) => line.startsWith('/'))).toEqual([]);
  });

  test('another user of the machine finds no secret of a build while its step runs', needs('root'), async () => {
    const [secret, argument] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    const places = ['store', 'home', 'tmp'].map((name) => (asUser ? userDirectory(name) : scratchDirectory(name)));
    const [store = '', HOME = '', TMPDIR = ''] = places;
    for (const place of places) chmodSync(place, 0o755);
    await using gate = await startGate();
    const Dockerfile = `FROM busybox
ARG PASSWORD
RUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=t test -n "$PASSWORD$TOKEN" && ${gate.wait('step')}
`;
    const args = ['--no-cache', '--network', 'host', '--secret', 'id=t,env=OUTSIDE', '--build-arg', 'PASSWORD'];
    const env = { OUTSIDE: secret, PASSWORD: argument, HOME, TMPDIR };
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      await gate.reached('step');
      for (const user of ['root', 'nobody']) seen.push(lookFor([secret, argument], places, user));
      gate.open('step');
    };
    await Promise.all([buildGood({ Dockerfile }, { asUser, store, args, env }), look()]);
    expect(seen[0]).toContain('/environ');
    expect(seen[1]).toBe('');
  });

  test('a secret is in no argument of a process while its step runs', async () => {
    const token = randomBytes(12).toString('hex');
    await using gate = await startGate();
    let found: readonly number[] | undefined;
    const look = async (): Promise<void> => {
      await gate.reached('step');
      found = processesNaming(token);
      gate.open('step');
    };
    const Dockerfile = `FROM busybox\nRUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=t ${gate.wait('step')}\n`;
    const args = ['--no-cache', '--network', 'host', '--secret', 'id=t,env=OUTSIDE'];
    await Promise.all([buildGood({ Dockerfile }, { asUser, args, env: { OUTSIDE: token } }), look()]);
    expect(found).toEqual([]);
  });
});

/** Counts the sockets of agents that a process and those below it have open. */
function agentsBelow(child: ChildProcess): number {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const inodes = sockets.filter((line) => line.endsWith('/agent')).map((line) => line.split(/ +/)[6]);
  const open = processesBelow(child, /./).flatMap((pid) => linksIn(`/proc/${pid}/fd`));
  return inodes.filter((inode) => open.includes(`socket:[${inode}]`)).length;
}

function linksIn(directory: string): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))];
    } catch {
      // Closed in the meantime.
      return [];
    }
  });
}

/** Returns the names of the files in which a user finds one of the words: of processes, and in the places. */
function lookFor(words: readonly string[], places: readonly string[], user: string): string {
  const script = 'grep -lasF -f - /proc/[0-9]*/environ /proc/[0-9]*/cmdline -r "$@" | sort -u';
  const command = ['--reuid', user, '--regid', user === 'root' ? 'root' : 'nogroup', '--clear-groups'];
  const options = { input: words.join('\n'), encoding: 'utf8' } as const;
  return execFileSync('setpriv', [...command, 'sh', '-c', script, 'sh', ...places], options);
}

test.each([
  ['password', (secret: string) => `me:${secret}`],
  ['token in the place of a user', (secret: string) => `${secret}:`],
])('the %s of a git URL is in no argument of git', async (_, loginWith) => {
  const secret = randomBytes(12).toString('hex');
  const login = loginWith(secret);
  await using server = await startGitServer({ authorization: `basic ${Buffer.from(login).toString('base64')}` });
  await server.commit('app', { Dockerfile: 'FROM scratch\nCOPY f /\n', f: 'x\n' });
  const bin = scratchDirectory('bin');
  writeFileSync(join(bin, 'git'), `#!/bin/sh\necho "$@" >> ${bin}/seen\nPATH=\${PATH#*:} exec git "$@"\n`, {
    mode: 0o755,
  });
  const url = `${server.url.replace('://', `://${login}@`)}/app.git`;
  const args = ['build', '--progress', 'plain', '--no-cache', url];
  good(await runTbuild(args, { store: scratchDirectory('store'), env: { PATH: `${bin}:${process.env['PATH']}` } }));
  const seen = readFileSync(join(bin, 'seen'), 'utf8');
  expect(seen).toContain('fetch');
  expect(seen).not.toContain(secret);
});

test('a link that another user put in the place of the store is refused', needs('user'), async () => {
  const [shared, target] = [scratchDirectory('shared'), userDirectory('target')];
  chmodSync(shared, 0o1777);
  const { uid } = ordinaryUser();
  symlinkSync(target, join(shared, `tbuild-${uid}`));
  const env = { TBUILD_ROOT: '', HOME: '/', TMPDIR: shared };
  const { exitCode, stderr } = await buildInline({ Dockerfile: 'FROM scratch\n' }, { asUser: true, env });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`Other users may have written to the store "${shared}/tbuild-${uid}"`);
  expect(readdirSync(target)).toEqual([]);
});

describe.each(builders)('where everybody can create files, $who', ({ asUser }) => {
  test.each(['a directory', 'a link'])('does not use %s of another user as its store', needs('root'), async (what) => {
    const [shared, target] = [scratchDirectory('shared'), scratchDirectory('target')];
    chmodSync(shared, 0o1777);
    const store = join(shared, 'store');
    if (what === 'a link') symlinkSync(target, store);
    else mkdirSync(store);
    for (const path of [store, target]) chmodSync(path, 0o777);
    lchownSync(store, 65534, 65534);
    const { exitCode, stderr } = await buildInline({ Dockerfile: 'FROM scratch\n' }, { asUser, store });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`Other users may have written to the store "${store}"`);
    expect([readdirSync(target), statSync(target).mode & 0o777]).toEqual([[], 0o777]);
  });

  test('makes a store of its own', needs('root'), async () => {
    const shared = scratchDirectory('shared');
    chmodSync(shared, 0o1777);
    const store = join(shared, 'store');
    for (const _ of [1, 2]) good(await runTbuild(['images'], { asUser, store }));
    expect(statSync(store).mode & 0o777).toBe(0o700);
  });
});
