import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  encodeSyscallProgram,
  isSyscallMachine,
  may,
  must,
} from '../../../packages/executor/src/syscalls/syscall-program.ts';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { program } from '../../support/program.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, good, writeFiles } from '../../support/tbuild.ts';

const dockerCapabilities = '00000000a80425fb';
const withoutRawSockets = '00000000a80405fb';

describe.each(builders)('RUN as $who', ({ asUser }) => {
  const run = async (commands: string, options: { args?: string[] } = {}) => {
    const build = await buildGood(
      { Dockerfile: `FROM busybox\nRUN ( ${commands} ) > /out 2>&1 || true\n` },
      { asUser, ...options },
    );
    return build.tree().readText('/out');
  };

  test('is process 1 of its own namespaces, with its own host name', async () => {
    expect(await run('ps -o pid,comm | head -3; hostname')).toMatch(/PID +COMMAND\n +1 sh\n[^]*buildkitsandbox\n$/);
  });

  test("has Docker's default capabilities and no more, and no NET_RAW as root in the machine's network", async () => {
    const show = 'grep -E "^Cap(Eff|Bnd|Prm)" /proc/self/status';
    const sharing = isRoot && !asUser ? withoutRawSockets : dockerCapabilities;
    const shared = await run(show, { args: ['--network', 'host'] });
    expect(shared.match(/[0-9a-f]{16}/g)).toEqual([sharing, sharing, sharing]);
    const alone = await run(show, { args: ['--network', 'none'] });
    expect(alone.match(/[0-9a-f]{16}/g)).toEqual([dockerCapabilities, dockerCapabilities, dockerCapabilities]);
  });

  test('cannot mount, and cannot escape by a second chroot', async () => {
    expect(await run('mount -t tmpfs none /tmp && echo mounted')).not.toContain('mounted');
    expect(
      await run('mkdir /x; chroot /x / 2>/dev/null; cd /; i=0; while [ $i -lt 20 ]; do cd ..; i=$((i+1)); done; ls'),
    ).toContain('bin');
  });

  test('has a seccomp filter', async () => {
    expect(await run('grep -w Seccomp /proc/self/status')).toMatch(/\t2\n/);
  });

  test('cannot write to the kernel: /proc/sys, sysrq, /sys and host devices', async () => {
    const pattern = '/proc/sys/kernel/core_pattern';
    const tries = [
      `cat ${pattern} > /tmp/p && cat /tmp/p > ${pattern} && echo core_pattern`,
      'test -s /proc/kcore && head -c 1 /proc/kcore | grep -q . && echo kcore',
      'echo h > /proc/sysrq-trigger && echo sysrq',
      'for f in /sys/kernel/uevent_helper /sys/kernel/mm/ksm/run /sys/power/state; do [ -e $f ] && cat $f > /tmp/v && cat /tmp/v > $f && echo $f; done',
      'ls /dev/vda /dev/sda /dev/mem /dev/kmsg /dev/loop0 && echo devices',
      'for d in 7:0 8:0 254:0 1:1; do mknod /tmp/d b ${d%:*} ${d#*:}; head -c 1 /tmp/d > /tmp/read && echo disk $d; rm -f /tmp/d; done',
    ];
    const seen = await run(tries.map((attempt) => `( ${attempt} ) 2>/dev/null`).join('; '));
    expect(seen).toBe('');
  });

  test('sees proc, sys, dev, a resolver and hosts', async () => {
    const seen = await run(
      'head -c 4 /dev/zero | wc -c; echo x > /dev/null && ls -l /dev/null | cut -c1; ls /dev/fd/0 /dev/stdin /dev/shm /dev/pts -d; ' +
        'grep -c localhost /etc/hosts; ls -d /sys/class/net; test -s /etc/resolv.conf && echo resolver; ls -ld /dev | cut -c1-10',
    );
    expect(seen).toMatch(/^4\nc\n\/dev\/fd\/0\n[^]*\/sys\/class\/net\nresolver\ndrwxr-xr-x\n$/);
  });

  test('leaves behind only the mount points that Docker leaves too', async () => {
    const build = await buildGood({ Dockerfile: 'FROM busybox\nRUN true\n' }, { asUser });
    const { entries } = build.tree();
    expect(
      ['/proc', '/sys', '/etc/hosts', '/etc/resolv.conf', '/.dockerenv'].filter((path) => entries.has(path)),
    ).toEqual(['/proc', '/sys']);
    expect([...entries.keys()].filter((path) => path.startsWith('/dev/') || path.startsWith('/proc/'))).toEqual([]);
  });

  test('runs as USER, with supplementary groups from the image', async () => {
    const build = await buildGood(
      {
        Dockerfile:
          'FROM busybox\nRUN chmod 777 /var\nUSER www-data\nRUN id > /var/named\nUSER 33:50\nRUN id > /var/numeric\n',
      },
      { asUser },
    );
    const tree = build.tree();
    expect(tree.readText('/var/named')).toBe(
      'uid=33(www-data) gid=33(www-data) groups=29(audio),33(www-data),50(staff)\n',
    );
    expect(tree.readText('/var/numeric')).toBe('uid=33(www-data) gid=50(staff) groups=50(staff)\n');
    expect(tree.entries.get('/var/named')).toMatchObject({ uid: 33, gid: 33 });
  });

  test('can create files of any owner and mode, links and devices, and delete files', async () => {
    const build = await buildGood(
      {
        Dockerfile: `FROM busybox
RUN touch /f && chown 123:456 /f && chmod 4750 /f && ln /f /hard && ln -s f /soft && mkfifo /pipe && mkdir -m 1777 /sticky
RUN rm -r /var/spool && rm /etc/shadow
`,
      },
      { asUser },
    );
    const { entries } = build.tree();
    expect(entries.get('/f')).toMatchObject({ uid: 123, gid: 456, mode: '4750' });
    expect(entries.get('/hard')).toMatchObject({ linkTo: '/f' });
    expect(entries.get('/soft')).toMatchObject({ target: 'f' });
    expect(entries.get('/pipe')).toMatchObject({ type: 'fifo' });
    expect(entries.get('/sticky')).toMatchObject({ mode: '1777' });
    expect(entries.has('/var/spool') || entries.has('/etc/shadow')).toBe(false);
  });

  test('reports its exit code and both outputs', async () => {
    const build = await buildInline(
      { Dockerfile: 'FROM busybox\nRUN echo to-out; echo to-err >&2; exit 23\n' },
      { asUser },
    );
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toMatch(/^#\d+ [\d.]+ to-out$/m);
    expect(build.stderr).toMatch(/^#\d+ [\d.]+ to-err$/m);
    expect(build.stderr).toContain('exit code: 23');
  });

  test('has no network with --network=none', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN --network=none ls /sys/class/net > /interfaces; ip addr > /addresses\n' },
      { asUser },
    );
    expect(build.tree().readText('/addresses')).not.toMatch(/^\d+: (eth|en)/m);
  });

  test('ends its background processes with the step', async () => {
    const marker = `31${Math.floor(Math.random() * 1e6)}`;
    await buildGood({ Dockerfile: `FROM busybox\nRUN sleep ${marker} & true\n` }, { asUser });
    expect(processesNaming(marker)).toEqual([]);
  });
});

test('RUN gets the environment of image, ENV and ARG, but not of the caller', async () => {
  const build = await buildGood(
    { Dockerfile: 'FROM busybox\nENV A=1\nARG B=2\nRUN env | cut -d= -f1 | sort > /names\n' },
    { env: { LEAKED: 'yes' } },
  );
  expect(
    build
      .tree()
      .readText('/names')
      .split('\n')
      .filter((name) => !['SHLVL', 'PWD', 'OLDPWD', ''].includes(name)),
  ).toEqual(['A', 'B', 'HOME', 'PATH']);
});

const MOUNT_SETATTR = 442;

/** Actions of a seccomp filter, little-endian. */
const [ENOSYS, KILL] = [
  [38, 0, 5, 0],
  [0, 0, 0, 0x80],
];

interface Filtered {
  readonly number: number;
  readonly answer: readonly number[];
}

/** Writes a program that executes another one without the right to a system call. */
function withoutCall({ number, answer }: Filtered, args: readonly string[], env: readonly string[]): string {
  const filter = Uint8Array.from(
    [
      [0x20, 0, 0, 0, 0, 0, 0, 0], // load the call's number
      [0x15, 0, 0, 1, number & 0xff, number >> 8, 0, 0], // unless it is this one, skip
      [0x06, 0, 0, 0, ...answer],
      [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f], // allow
    ].flat(),
  );
  const calls = [
    must('prctl', 22, 2, { filter }),
    may('execve', { text: args[0] ?? '' }, { texts: args }, { texts: env }),
  ];
  if (!isSyscallMachine(process.arch)) throw new Error(`No programs for ${process.arch}`);
  const path = join(scratchDirectory('program'), 'without-call');
  writeFileSync(path, encodeSyscallProgram(process.arch, { calls, reportTo: 2 }), { mode: 0o755 });
  return path;
}

/** Returns the command that starts the program with these arguments and this environment. */
type Start = (args: readonly string[], env: readonly string[]) => readonly [string, ...string[]];

function buildBy(start: Start, dockerfile: string) {
  const context = writeFiles({ Dockerfile: dockerfile });
  const env = [
    `TBUILD_ROOT=${scratchDirectory('store')}`,
    `HOME=${scratchDirectory('home')}`,
    `PATH=${process.env['PATH']}`,
  ];
  const args = ['/bin/sh', program, 'build', '--progress', 'plain', ...baseImageArguments(), context];
  const [command, ...rest] = start(args, env);
  return runProcess(command, rest);
}

test('on a kernel without the newer calls, programs make the same mounts', needs('root'), async () => {
  const shownBy = async (start: Start) => {
    const build = good(await buildBy(start, "FROM busybox\nRUN cut -d' ' -f5,6 /proc/self/mountinfo\n"));
    // The older call drops some flags on a part of a file system, but keeps it read-only.
    return [...build.stderr.matchAll(/^#\d+ [\d.]+ (\/\S* r[ow])/gm)].map(([, mount]) => mount);
  };
  const usual = await shownBy((args, env) => ['env', '-i', ...env, ...args]);
  expect(usual).toContain('/proc/sys ro');
  const filtered = { number: MOUNT_SETATTR, answer: ENOSYS };
  expect(await shownBy((args, env) => [withoutCall(filtered, args, env)])).toEqual(usual);
});

test('a killed set-up is not reported as the exit code of the step', needs('root'), async () => {
  const filtered = { number: MOUNT_SETATTR, answer: KILL };
  const build = await buildBy((args, env) => [withoutCall(filtered, args, env)], 'FROM busybox\nRUN true\n');
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toContain('The sandbox of the step could not be set up');
  expect(build.stderr).not.toContain('exit code');
});
