import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { program } from '../../support/program.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline, runTbuild } from '../../support/tbuild.ts';

describe.each(builders)('tbuild doctor for $who', ({ asUser }) => {
  test('names the isolation of steps, and how to install what is missing', async () => {
    const { exitCode, stdout } = await runTbuild(['doctor', '--format', 'json'], { asUser });
    const found: { name: string; state: string; detail: string; fix?: string }[] = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(found[0]).toMatchObject({
      name: 'isolation of RUN',
      state: 'good',
      detail: expect.stringMatching(/^namespace/),
    });
    expect(found.map(({ name }) => name)).toContain('network of RUN');
    expect(found.map(({ name }) => name)).toContain('limits of RUN');
    expect(found.some(({ name }) => name === 'devices of RUN')).toBe(isRoot && !asUser);
    expect(found.filter(({ state, fix }) => state !== 'good' && fix === undefined)).toEqual([]);
  });

  test('prints a line for each check, as text', async () => {
    const { stdout } = await runTbuild(['doctor'], { asUser });
    expect(stdout).toMatch(/^good +isolation of RUN +namespace/);
    expect(stdout).toMatch(/^(good|limited|missing) +overlay /m);
  });
});

test.each([
  ['', /^good +network of RUN +one of their own, which reaches outside through pasta$/m],
  [
    'rm /dev/net/tun',
    /^limited +network of RUN +that of this machine, .*abstract sockets\n +→ .*--device \/dev\/net\/tun$/m,
  ],
])('doctor tries the network of steps, on a machine after %j', needs('root', 'pasta'), async (change, line) => {
  const script = `mkdir -p /dev/net; mount -t tmpfs none /dev/net; mknod /dev/net/tun c 10 200; ${change}\nexec "$@"`;
  const stdout = await runChecked('unshare', ['--mount', 'sh', '-ec', script, 'sh', program, 'doctor'], {
    env: { TBUILD_ROOT: scratchDirectory('store'), HOME: scratchDirectory('home') },
  });
  expect(stdout).toMatch(line);
});

test('doctor reports what resource limits and the device filter lack', needs('root', 'unshare'), async () => {
  // A machine without control groups.
  const script = 'umount -l /sys/fs/cgroup && exec "$@"';
  const stdout = await runChecked('unshare', ['--mount', 'sh', '-c', script, 'sh', program, 'doctor'], {
    env: { TBUILD_ROOT: scratchDirectory('store'), HOME: scratchDirectory('home') },
  });
  expect(stdout).toMatch(/^limited +limits of RUN .* so that --resource and --cgroup-parent cannot be used\n +→ /m);
  expect(stdout).toMatch(/^limited +devices of RUN .*\n +→ Mount cgroup v2/m);
});

test('doctor with an unknown isolation is a usage error', async () => {
  const build = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: ['--isolation', 'hyperv'] });
  expect(build).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('expected auto, namespace, oci, chroot'),
  });
});
