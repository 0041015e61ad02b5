import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { FileType, makedev, mknod } from '@tbuild/linux';
import { type ActiveSnapshot, createOverlaySnapshotter, type OverlayFlavour } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesNaming } from '../../../../test/support/leftovers.ts';
import { needs, type Requirement } from '../../../../test/support/requirements.ts';
import { leaveDeviceGuard } from '../cgroup/device-guard.ts';
import { encodeExitProgram, exitPrograms } from '../emulation/exit-program.ts';
import { type Emulation, findEmulation } from '../emulation/find-emulation.ts';
import type { Executor, Sandbox, StepEnd } from '../executor.ts';
import { syscallTestProgram, outcomes, type TriedCall } from './syscall-test-program.ts';

export interface ExecutorUnderTest {
  readonly flavour: OverlayFlavour;
  /** False for executors without namespaces and mounts. */
  readonly isolated?: boolean;
  /** False if steps see the /proc of the surrounding container, which may not accept a host name. */
  readonly ownProc?: boolean;
  /** `directory` is empty and belongs to the suite. */
  create(directory: string): Executor;
}

const groups = { met: canMakeGroups(), lacks: 'the right to make control groups' };
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);

/** Tests the contract of an {@link Executor} with a tree made of the host's static busybox. */
export function executorSuite(name: string, options: ExecutorUnderTest): void {
  const { flavour, create, isolated = true, ownProc = true } = options;
  // Does not define tests of what this executor does not promise.
  const testWhen =
    (promised: boolean, ...requirements: readonly Requirement[]) =>
    (title: string, body: () => Promise<void>) => {
      if (promised) test(title, needs(...requirements), body);
    };
  const isolatedTest = testWhen(isolated);
  const procTest = testWhen(isolated && ownProc);
  const never = new AbortController().signal;
  let directory = '';
  let executor: Executor;
  const snapshotter = () => createOverlaySnapshotter({ store: storeLayout(join(directory, 'store')), flavour });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'executor-'));
    mkdirSync(join(directory, 'run'));
    mkdirSync(join(directory, 'store'));
    executor = create(join(directory, 'run'));
    const base = await snapshotter().prepare();
    makeBusyboxTree(base.upper);
    await base.commit('base');
  });
  afterAll(async () => {
    await leaveDeviceGuard();
    rmSync(directory, { recursive: true, force: true });
  });

  interface Ran extends StepEnd {
    readonly stdout: string;
    readonly stderr: string;
    readonly active: ActiveSnapshot;
  }

  /** Runs a script on a new child of the base. The caller may inspect `active.upper` afterwards. */
  async function run(script: string | readonly string[], changes: SandboxChanges = {}): Promise<Ran> {
    const active = await snapshotter().prepare(changes.base === undefined ? 'base' : changes.base || undefined);
    const out: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
    changes.before?.(active.upper);
    const sandbox = sandboxOf(active, typeof script === 'string' ? ['/bin/sh', '-c', script] : script, changes);
    const io = {
      stdout: (data: Uint8Array) => {
        out.stdout.push(data);
        changes.onOutput?.(data);
      },
      stderr: (data: Uint8Array) => void out.stderr.push(data),
    };
    const end = await executor.run(sandbox, io, changes.signal ?? never);
    return {
      ...end,
      stdout: Buffer.concat(out.stdout).toString(),
      stderr: Buffer.concat(out.stderr).toString(),
      active,
    };
  }

  /** Makes system calls in a sandbox and returns the result of each. */
  async function tryCalls(calls: readonly TriedCall[], user?: Sandbox['process']['user']): Promise<string[]> {
    const output: Uint8Array[] = [];
    await run(['/calls'], {
      before: (upper) => writeFileSync(join(upper, 'calls'), syscallTestProgram(calls), { mode: 0o755 }),
      onOutput: (data) => void output.push(data),
      process: user && { user },
    });
    return outcomes(Buffer.concat(output));
  }

  describe(`executor ${name}`, needs({ met: BUSYBOX !== undefined, lacks: 'busybox' }), () => {
    test('passes on output and exit code', async () => {
      expect(await run('echo out; echo err >&2; exit 7')).toMatchObject({
        exitCode: 7,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    test('returns 128 plus the number of a fatal signal', async () => {
      // Pid 1 of a namespace cannot be killed from inside; its child can.
      expect(await run('sh -c "kill -TERM \\$\\$"; exit $?')).toMatchObject({ exitCode: 143 });
    });

    test('sets the given environment and HOME', async () => {
      const env = ['PATH=/bin', 'A.B=x y', 'Q=\'"$(id)', 'N=1\n2', 'IFS=x', 'ENV=/nowhere'];
      const { stdout } = await run(['/bin/env', '-0'], { process: { env } });
      expect(stdout.split('\0').filter(Boolean).sort()).toEqual([...env, 'HOME=/'].sort());
    });

    test('obeys LD_PRELOAD in the process only', async () => {
      const env = ['PATH=/bin', 'LD_PRELOAD=/missing.so', 'LD_DEBUG=libs'];
      expect(await run('echo $LD_PRELOAD $LD_DEBUG', { process: { env } })).toMatchObject({
        stdout: '/missing.so libs\n',
        stderr: '',
      });
    });

    for (const network of ['default', 'host', 'none'] as const)
      isolatedTest(
        `gives root Docker's default capabilities, without NET_RAW in the machine's network: ${network}`,
        async () => {
          const { stdout } = await run('grep ^Cap /proc/self/status', { network });
          const set = flavour === 'user' || network === 'none' ? 'a80425fb' : 'a80405fb';
          expect(stdout.replaceAll(/\t0*/g, ' ')).toBe(
            `CapInh: \nCapPrm: ${set}\nCapEff: ${set}\nCapBnd: ${set}\nCapAmb: \n`,
          );
        },
      );

    test('a step cannot read packets of the machine', async () => {
      // socket(AF_PACKET, SOCK_RAW, ETH_P_ALL)
      expect(await tryCalls([['socket', 17, 3, 0x300]])).toEqual(['EPERM']);
    });

    test("denies the calls that Docker's filter denies, and newer ones", async () => {
      const refused = await tryCalls([
        ['personality', 0x4_0000],
        ['personality', 0xffff_ffff],
        ['socket', 38, 1, 0],
        ['socket', 20, 1, 0],
        ['io_uring_setup', 1, 0],
        ['open_tree_attr', -100, 0, 0],
        ['clone3', 0, 0],
        ['kcmp', 1, 1, 0],
        ['pidfd_getfd', -1, 0, 0],
      ]);
      const [eperm, enosys] = ['EPERM', 'ENOSYS'];
      expect(refused).toEqual([eperm, 'done', eperm, eperm, eperm, enosys, enosys, eperm, eperm]);
    });

    test('lets a step trace at most its own processes', async () => {
      const user = { uid: 33, gid: 33, groups: [33] };
      const outside = spawn('sleep', ['100'], user);
      try {
        const pid = outside.pid ?? 0;
        const [seize, peek] = await tryCalls(
          [
            ['ptrace', 0x4206, pid, 0, 0],
            ['process_vm_readv', pid, 0, 0, 0, 0],
          ],
          user,
        );
        if (!isolated) expect([seize, peek]).toEqual(['EPERM', 'EPERM']);
        else {
          expect(seize).toBe('ESRCH');
          expect(await tryCalls([['ptrace', 0, 0, 0, 0]], user)).toEqual(['done']);
        }
      } finally {
        outside.kill('SIGKILL');
      }
    });

    test('gives a user its groups and no capabilities', async () => {
      const { stdout } = await run(
        'id -u; id -g; id -G; chown 1 /tmp 2> /dev/null && echo privileged; echo again > /dev/stdout',
        { process: { user: { uid: 33, gid: 33, groups: [5, 6] } } },
      );
      expect(stdout).toBe('33\n33\n33 5 6\nagain\n');
    });

    procTest('runs the process as pid 1, which sees no others', async () => {
      const { stdout } = await run('echo $$; ls /proc | grep -c "^[0-9]"');
      expect(stdout.split('\n')[0]).toBe('1');
      expect(Number(stdout.split('\n')[1])).toBeLessThan(5);
    });

    isolatedTest('provides the devices of a container', async () => {
      const { stdout } = await run(
        'ls /dev; echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo y > /dev/stdout',
      );
      expect(`core\n${stdout.replace(/^core\n/, '')}`).toBe(
        'core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n2\n3\ny\n',
      );
    });

    const real = testWhen(flavour !== 'user', groups);

    for (const place of ['/tmp', '/dev', '/dev/shm', '/bound', '/memory'])
      real(`prevents opening device nodes made in ${place}`, async () => {
        const { stdout } = await run(`cd ${place}; mknod d b 7 0; mknod c c 1 1; ls; cat < d; cat < c`, {
          mounts: [
            { type: 'bind', source: mkdtempSync(join(directory, 'nodes-')), target: '/bound', readonly: false },
            { type: 'tmpfs', target: '/memory' },
          ],
        });
        if (isolated) expect(stdout).toMatch(/^c$/m);
        expect(stdout.length).toBeLessThan(200);
      });

    real('prevents opening device nodes of the image', async () => {
      const before = (upper: string) => mknod(join(upper, 'disk'), FileType.block | 0o666, makedev(7, 0));
      expect(await run('head -c 1 /disk', { before })).toMatchObject({ stdout: '', exitCode: 1 });
    });

    test("prevents changes to the attributes of the machine's devices", async () => {
      const before = lstatSync('/dev/null');
      await run('chmod 600 /dev/null; chown 1 /dev/null; touch -d @0 /dev/null; chmod 600 /proc/keys /proc/timer_list');
      const { mode, uid, mtimeMs } = lstatSync('/dev/null');
      expect({ mode, uid, mtimeMs }).toEqual({ mode: before.mode, uid: before.uid, mtimeMs: before.mtimeMs });
    });

    test('limits a signal to the process group to the step', async () => {
      const { exitCode, stdout } = await run('trap "" TERM HUP; kill -TERM 0; kill -HUP 0; echo alive; exit 3');
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: 'alive\n' });
    });

    procTest('provides an empty standard input and no other descriptors', async () => {
      const { stdout } = await run(
        'cat; readlink /proc/self/fd/0; for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done',
      );
      expect(stdout).toMatch(/^(\/dev\/null|pipe:.*)\n0\n1\n2\n$/);
    });

    isolatedTest('prevents changes to kernel settings', async () => {
      const { stdout } = await run(
        'for f in /proc/sys/kernel/hostname /sys/kernel/uevent_seqnum; do (echo 1 > $f) 2> /dev/null && echo wrote $f; done; cat /proc/keys /proc/timer_list 2> /dev/null; ls /sys/firmware 2> /dev/null; mount -t tmpfs x /tmp 2> /dev/null && echo mounted',
      );
      expect(stdout).toBe('');
    });

    isolatedTest('denies namespaces, keys and mounts but not set-user-ID programs', async () => {
      const { stdout, stderr } = await run(
        'grep -E "Seccomp:|NoNewPrivs" /proc/self/status; unshare -n true; mount -t proc x /proc; unshare -U true',
      );
      expect(stdout).toBe('NoNewPrivs:\t0\nSeccomp:\t2\n');
      expect(stderr.split('\n').filter(Boolean)).toHaveLength(3);
    });

    isolatedTest('prevents escaping by a second chroot', async () => {
      const { stdout } = await run(
        'mkdir /tmp/in; cp /bin/busybox /tmp/in; cd /; chroot /tmp/in /busybox sh -c "cd ../../../../..; /busybox ls" ; ls -d /../bin/busybox',
      );
      expect(stdout).toBe('busybox\n/../bin/busybox\n');
    });

    procTest('sets the host name', async () => {
      expect((await run('hostname')).stdout).toBe('buildkitsandbox\n');
    });

    test('creates a missing working directory and keeps it', async () => {
      const { stdout, active } = await run('pwd; stat -c "%a %u" .', { process: { cwd: '/new/work dir' } });
      expect(stdout).toBe('/new/work dir\n755 0\n');
      expect(readdirSync(join(active.upper, 'new'))).toEqual(['work dir']);
    });

    test('resolves links of the working directory inside the tree', async () => {
      const { stdout } = await run('pwd -P', { process: { cwd: '/absolute/x' } });
      expect(stdout).toBe('/tmp/x\n');
    });

    test('writes changes to the upper directory', async () => {
      const { active } = await run('echo 1 > /tmp/made; rm /etc/group');
      expect(readFileSync(join(active.upper, 'tmp/made'), 'utf8')).toBe('1\n');
      expect(lstatSync(join(active.upper, 'etc/group')).isCharacterDevice()).toBe(true);
    });

    test.each([
      ['missing', 127, 'exec: "missing": executable file not found in $PATH\n'],
      ['/missing', 127, 'exec: "/missing": stat /missing: no such file or directory\n'],
      ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied\n'],
    ])('reports that %s cannot be executed', async (program, exitCode, stderr) => {
      expect(await run([program])).toMatchObject({ exitCode, stderr });
    });

    test("finds programs by the step's PATH in the tree", async () => {
      const { stdout } = await run(['tool', 'x'], {
        process: { env: ['PATH=/nowhere:/opt'] },
        before: (upper) => {
          mkdirSync(join(upper, 'opt'));
          writeFileSync(join(upper, 'opt/tool'), '#!/bin/sh\necho tool $1\n', { mode: 0o755 });
        },
      });
      expect(stdout).toBe('tool x\n');
    });

    test('binds files and directories and removes their mount points', async () => {
      const source = join(directory, "odd #1 'name\t");
      mkdirSync(source, { recursive: true });
      writeFileSync(join(source, 'file'), 'content');
      const { stdout, stderr, active } = await run(
        'cat "/run/my files/file" /etc/new/one; echo 2 > /etc/new/one; touch "/run/my files/x"',
        {
          mounts: [
            { type: 'bind', source, target: '/run/my files', readonly: true },
            { type: 'bind', source: join(source, 'file'), target: '/etc/new/one', readonly: false },
          ],
        },
      );
      expect(stdout).toBe('contentcontent');
      if (isolated) expect(stderr).toContain('Read-only file system');
      expect(readFileSync(join(source, 'file'), 'utf8')).toBe('2\n');
      expect(existsSync(join(active.upper, 'run'))).toBe(false);
      expect(existsSync(join(active.upper, 'etc/new'))).toBe(false);
    });

    test('keeps the times of directories with mount points', async () => {
      const source = join(directory, 'plain');
      writeFileSync(source, '');
      const { active } = await run(':', { mounts: [{ type: 'bind', source, target: '/etc/stub', readonly: true }] });
      // A directory that was not copied up is fine too.
      const made = [active.upper, ...active.lowers]
        .map((layer) => lstatSync(join(layer, 'etc'), { throwIfNoEntry: false }))
        .find(Boolean);
      expect(Math.trunc(made?.mtimeMs ?? 0)).toBe(Math.trunc(lstatSync(join(active.lowers[0] ?? '', 'etc')).mtimeMs));
    });

    test('resolves links of a mount target inside the tree', async () => {
      const source = join(directory, 'linked');
      writeFileSync(source, 'seen\n');
      const { stdout, active } = await run('cat /tmp/resolv.conf /etc/link.conf', {
        mounts: [{ type: 'bind', source, target: '/etc/link.conf', readonly: true }],
      });
      expect(stdout).toBe('seen\nseen\n');
      expect(existsSync(join(active.upper, 'tmp/resolv.conf'))).toBe(false);
    });

    test('does not follow a link that replaces the parent of a mount point', async () => {
      const source = join(directory, 'mounted');
      const victim = join(directory, 'victim');
      writeFileSync(source, '');
      mkdirSync(join(victim, 'in'), { recursive: true });
      writeFileSync(join(victim, 'in/file'), '');
      for (const swap of ['mv /swap /moved; ln -s VICTIM /swap', 'mv /swap/in /moved; ln -s VICTIM/in /swap/in']) {
        const { active } = await run(swap.replaceAll('VICTIM', victim), {
          mounts: [{ type: 'bind', source, target: '/swap/in/file', readonly: true }],
        });
        expect(existsSync(join(victim, 'in/file'))).toBe(true);
        // Without mounts the file itself was moved, and it may be a secret.
        if (!isolated)
          expect(['moved/file', 'moved/in/file'].filter((path) => existsSync(join(active.upper, path)))).toEqual([]);
      }
    });

    isolatedTest('mounts inside a tmpfs, with its size and mode', async () => {
      const source = join(directory, 'secret');
      writeFileSync(source, 's3');
      const { stdout } = await run(
        'cat /run/secrets/one; stat -c %a /run; df -k /run | tail -n 1 | tr -s " " | cut -d " " -f 2',
        {
          mounts: [
            { type: 'tmpfs', target: '/run', size: 1 << 20, mode: 0o700 },
            { type: 'bind', source, target: '/run/secrets/one', readonly: true },
          ],
        },
      );
      expect(stdout).toBe('s3700\n1024\n');
    });

    testWhen(!isolated)('warns about sizes that only mounts can limit', async () => {
      const { stderr } = await run(':', { shmSize: 1 << 20, mounts: [{ type: 'tmpfs', target: '/t', size: 1 << 20 }] });
      expect(stderr).toBe(
        'The size of /dev/shm is not limited with chroot isolation\nThe size of /t is not limited with chroot isolation\n',
      );
    });

    test('mounts a writable view of another tree and discards its changes', async () => {
      const other = await snapshotter().prepare('base');
      const { stdout } = await run('echo x > /other/tmp/x; cat /other/tmp/x; ls /tmp/x 2> /dev/null', {
        mounts: [{ type: 'overlay', mount: other.mount, target: '/other' }],
      });
      expect(stdout).toBe('x\n');
    });

    test('shows a tree with repeated layers', async () => {
      for (const [name, upper] of [
        ['repeated', 'tmp/r'],
        ['between', 'tmp/r'],
        ['above', 'tmp/a'],
      ] as const) {
        const active = await snapshotter().prepare();
        mkdirSync(join(active.upper, 'tmp'));
        writeFileSync(join(active.upper, upper), name);
        await active.commit(name);
      }
      const tops = ['repeated', 'between', 'repeated', 'above', 'above'];
      await snapshotter().compose('more-than-once', { base: 'base', tops });
      expect((await run('cat /tmp/*', { base: 'more-than-once' })).stdout).toBe('aboverepeated');
    });

    isolatedTest('reports the failed mount if a sandbox cannot be set up', async () => {
      const other = await snapshotter().prepare('base');
      const options = ['lowerdir=l/0:l/0'];
      const mounts = [{ type: 'overlay', mount: { ...other.mount, options }, target: '/other' }] as const;
      await expect(run('true', { mounts })).rejects.toMatchObject({
        code: 'PROCESS_FAILED',
        message: expect.stringMatching(
          /^The sandbox of the step could not be set up: mount.*failed: (ELOOP|Too many levels of symbolic links)$/,
        ),
      });
    });

    isolatedTest('provides only loopback for network none', async () => {
      const { stdout } = await run('ls /proc/self/net/dev > /dev/null; tail -n +3 /proc/self/net/dev | cut -d : -f 1', {
        network: 'none',
      });
      expect(stdout.trim()).toBe('lo');
    });

    isolatedTest('keeps all capabilities of an insecure step', async () => {
      const { stdout } = await run('grep CapEff /proc/self/status; mount -t tmpfs x /tmp && echo mounted', {
        security: 'insecure',
      });
      expect(stdout).toMatch(/CapEff:\t0*1f[ef]/);
      expect(stdout).toContain('mounted');
    });

    test('runs programs of another architecture with a handler for the step', async ({ skip }) => {
      const found = await findForeign(directory);
      skip(
        found.kind !== 'registered',
        `on this machine ${FOREIGN} needs no handler of a step's own, or cannot have one`,
      );
      const program = (upper: string) =>
        writeFileSync(join(upper, 'foreign'), encodeExitProgram(exitPrograms[FOREIGN]), { mode: 0o755 });
      const script = '/foreign 2> /dev/null && echo ran; id -u; id -G; chown 5:6 /tmp && stat -c %u:%g /tmp';
      const user = { uid: 0, gid: 0, groups: [0, 10] };
      const runWith = async (handler: string | undefined) => {
        const other = await snapshotter().prepare('base');
        const mounts = [{ type: 'overlay', mount: other.mount, target: '/other' }] as const;
        return await run(script, { before: program, mounts, handler, process: { user } });
      };
      expect(await runWith(undefined)).toMatchObject({ exitCode: 0, stdout: '0\n0 10\n5:6\n' });
      const rule = found.kind === 'registered' ? found.rule : undefined;
      expect(await runWith(rule)).toMatchObject({ exitCode: 0, stdout: 'ran\n0\n0 10\n5:6\n' });
    });

    test('runs on an empty tree and keeps /dev, /proc and /sys', async () => {
      const { exitCode, stdout, active } = await run(['/busybox', 'ls', '/'], {
        base: '',
        before: (upper) => copyFileSync(BUSYBOX ?? '', join(upper, 'busybox')),
      });
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'busybox\ndev\nproc\nsys\n' });
      expect(readdirSync(active.upper)).toEqual(['busybox', 'dev', 'proc', 'sys']);
      expect(readdirSync(join(active.upper, 'dev'))).toEqual([]);
    });

    test('kills what the step left behind', async () => {
      const { exitCode, active } = await run('(sleep 0.4; echo late > /tmp/late) > /dev/null 2>&1 & exit 0');
      expect(exitCode).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(existsSync(join(active.upper, 'tmp/late'))).toBe(false);
    });

    test('kills everything on abort', async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const marker = `81${Math.floor(Math.random() * 1e6)}`;
      const script = `trap "" TERM INT; sleep ${marker} & sleep ${marker}`;
      await expect(run(script, { signal: controller.signal })).rejects.toMatchObject({
        code: 'CANCELLED',
      });
      expect(processesNaming(`sleep\0${marker}`)).toEqual([]);
    });

    test('passes on 30 MB of output', async () => {
      const { stdout } = await run(
        'yes 0123456789abcdef | head -c 30000000 | md5sum; yes 0123456789abcdef | head -c 30000000',
      );
      expect(stdout.length).toBe(30_000_000 + 36);
    });

    const limitedTest = testWhen(flavour !== 'user', groups);

    limitedTest('kills a step at its memory limit and reports it', async () => {
      const script = 'head -c 100000000 /dev/zero | tail -c 100000000 > /dev/null; exit $?';
      const { exitCode, reachedMemoryLimit } = await run(script, { resources: { memory: 16 << 20 } });
      expect({ exitCode, reachedMemoryLimit }).toEqual({ exitCode: 137, reachedMemoryLimit: true });
      expect(await run('true', { resources: { memory: 16 << 20 } })).toMatchObject({ reachedMemoryLimit: false });
    });

    testWhen(isolated && flavour !== 'user', groups)('shows the limits where programs look for them', async () => {
      const { stdout } = await run('cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes 2> /dev/null', {
        resources: { memory: 64 << 20 },
      });
      expect(Number(stdout)).toBe(64 << 20);
      expect((await run('mkdir /sys/fs/cgroup/x /sys/fs/cgroup/memory/x 2> /dev/null && echo made')).stdout).toBe('');
    });

    testWhen(isolated, { met: isUnified, lacks: 'cgroup v2' })(
      'places the step at the root of its control groups',
      async () => {
        expect((await run('cat /proc/self/cgroup')).stdout).toBe('0::/\n');
      },
    );

    limitedTest('limits the number of processes, also for root', async () => {
      const script = 'i=0; while [ $i -lt 50 ]; do sleep 5 & i=$((i+1)); done';
      const { exitCode, stderr } = await run(script, { resources: { pids: 20 } });
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('fork');
    });

    limitedTest('removes control groups, also after an abort', async () => {
      const cgroupParent = `/tbuild-suite-${basename(directory)}/inner`;
      const controller = new AbortController();
      let groups: string[] = [];
      const onOutput = () => {
        groups = groupDirectories(cgroupParent).flatMap((path) => readdirSync(path));
        controller.abort();
      };
      const options = { cgroupParent, resources: { memory: 64 << 20 }, signal: controller.signal, onOutput };
      await expect(run('echo begun; sleep 20', options)).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(groups).toContainEqual(expect.stringMatching(/^tbuild-/));
      expect(groupDirectories(dirname(cgroupParent))).toEqual([]);
    });

    limitedTest('reports a limit that cannot be set', async () => {
      await expect(run('true', { resources: { cpusetCpus: '4095' } })).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('cannot write "4095" to'),
      });
    });

    test('runs many steps at once and leaves nothing in its directory', async () => {
      const results = await Promise.all(Array.from({ length: 8 }, (_, index) => run(`echo ${index}; sleep 0.1`)));
      expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`));
      expect(readdirSync(join(directory, 'run')).filter((name) => name.startsWith('step-'))).toEqual([]);
    });
  });
}

interface SandboxChanges extends Partial<Omit<Sandbox, 'process' | 'root'>> {
  readonly process?: Partial<Sandbox['process']>;
  /** The parent snapshot; an empty string for an empty tree. */
  readonly base?: string;
  readonly signal?: AbortSignal;
  onOutput?(data: Uint8Array): void;
  before?(upper: string): void;
}

function sandboxOf(
  { upper, lowers, mount }: ActiveSnapshot,
  args: readonly string[],
  changes: SandboxChanges,
): Sandbox {
  return {
    root: { upper, lowers, mount },
    mounts: changes.mounts ?? [],
    process: { args, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0, groups: [] }, ...changes.process },
    hostname: 'buildkitsandbox',
    network: changes.network ?? 'default',
    security: changes.security ?? 'sandbox',
    shmSize: changes.shmSize,
    resources: changes.resources,
    cgroupParent: changes.cgroupParent,
    handler: changes.handler,
  };
}

/** An architecture whose emulator Debian packages and nobody registers. */
const FOREIGN = 'loong64';

function findForeign(directory: string): Promise<Emulation> {
  const host = { os: process.platform, architecture: process.arch };
  const searchPath = (process.env['PATH'] ?? '').split(':');
  return findEmulation({ os: host.os, architecture: FOREIGN }, { directory, host, searchPath });
}

/** Whether cgroup v2 is the only version. */
const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');

function canMakeGroups(): boolean {
  try {
    accessSync(existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', constants.W_OK);
    return existsSync('/sys/fs/cgroup/memory') || existsSync('/sys/fs/cgroup/cgroup.controllers');
  } catch {
    return false;
  }
}

/** Returns the directories of a control group in every hierarchy. */
function groupDirectories(path: string): string[] {
  const hierarchies = ['.', ...readdirSync('/sys/fs/cgroup')];
  return hierarchies.map((name) => join('/sys/fs/cgroup', name, path)).filter(existsSync);
}

const APPLETS =
  '[ cat chmod chown chroot cp cut df echo env grep head hostname id ln ls md5sum mkdir mknod mount mv readlink rm sh sleep stat tail touch tr unshare wc yes';

function makeBusyboxTree(root: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(root, name));
  copyFileSync(BUSYBOX ?? '', join(root, 'bin/busybox'));
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  symlinkSync('/tmp', join(root, 'absolute'));
  symlinkSync('../../../tmp/resolv.conf', join(root, 'etc/link.conf'));
}
