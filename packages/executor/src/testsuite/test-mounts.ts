import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ExecutorSuite, immutable } from './test-suite-context.ts';

/** Tests the mounts of a sandbox and the tree below them. */
export function defineMountTests(suite: ExecutorSuite): void {
  const { isolated, run, snapshotter, testWhen, isolatedTest } = suite;

  test('binds files and directories and removes their mount points', async () => {
    const source = join(suite.directory, "odd #1 'name\t");
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

  testWhen(isolated, immutable)('fails when the kernel mounts the tree read-only', async () => {
    let work = '';
    const ran = run('echo 1 > /file || echo failed', {
      before: (upper) => {
        work = join(upper, '../work');
        execFileSync('chattr', ['+i', work]);
      },
    });
    await expect(ran.finally(() => execFileSync('chattr', ['-i', work]))).rejects.toMatchObject({
      code: 'SNAPSHOT',
      message: expect.stringMatching(/^Could not make ".+\/work\/work" for the step: operation not permitted$/),
    });
  });

  test('keeps the times of directories with mount points', async () => {
    const source = join(suite.directory, 'plain');
    writeFileSync(source, '');
    const { active } = await run(':', { mounts: [{ type: 'bind', source, target: '/etc/stub', readonly: true }] });
    // A directory that was not copied up is fine too.
    const made = [active.upper, ...active.lowers]
      .map((layer) => lstatSync(join(layer, 'etc'), { throwIfNoEntry: false }))
      .find(Boolean);
    // Node sets times as floating-point seconds, which is exact to a microsecond.
    expect(made?.mtimeMs).toBeCloseTo(lstatSync(join(active.lowers[0] ?? '', 'etc')).mtimeMs, 2);
  });

  test('resolves links of a mount target inside the tree', async () => {
    const source = join(suite.directory, 'linked');
    writeFileSync(source, 'seen\n');
    const { stdout, active } = await run('cat /tmp/resolv.conf /etc/link.conf', {
      mounts: [{ type: 'bind', source, target: '/etc/link.conf', readonly: true }],
    });
    expect(stdout).toBe('seen\nseen\n');
    expect(existsSync(join(active.upper, 'tmp/resolv.conf'))).toBe(false);
  });

  test('does not follow a link that replaces the parent of a mount point', async () => {
    const source = join(suite.directory, 'mounted');
    const victim = join(suite.directory, 'victim');
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
    const source = join(suite.directory, 'secret');
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

  test('a tmpfs has the mode of the directory that it covers, else 1777', async () => {
    const { stdout } = await run('stat -c %a /covered /new; touch /covered/x', {
      mounts: [
        { type: 'tmpfs', target: '/covered' },
        { type: 'tmpfs', target: '/new' },
      ],
      before: (upper) => mkdirSync(join(upper, 'covered'), { mode: 0o2750 }),
    });
    expect(stdout).toMatch(/^2?750\n1777\n$/);
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
}
