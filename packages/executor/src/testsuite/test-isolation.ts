import { spawn } from 'node:child_process';
import { lstatSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { FileType, makedev, mknod } from '@tbuild/linux';
import { expect, test } from 'vitest';
import type { ExecutorSuite } from './test-suite-context.ts';

/** Tests what a step cannot see, reach or change. */
export function defineIsolationTests(suite: ExecutorSuite): void {
  const { flavour, isolated, run, tryCalls, isolatedTest, procTest, realRootTest } = suite;

  for (const network of ['host', 'none'] as const)
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

  for (const place of ['/tmp', '/dev', '/dev/shm', '/bound', '/memory'])
    realRootTest(`prevents opening device nodes made in ${place}`, async () => {
      const { stdout } = await run(`cd ${place}; mknod d b 7 0; mknod c c 1 1; ls; cat < d; cat < c`, {
        mounts: [
          { type: 'bind', source: mkdtempSync(join(suite.directory, 'nodes-')), target: '/bound', readonly: false },
          { type: 'tmpfs', target: '/memory' },
        ],
      });
      if (isolated) expect(stdout).toMatch(/^c$/m);
      expect(stdout.length).toBeLessThan(200);
    });

  realRootTest('prevents opening device nodes of the image', async () => {
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
}
