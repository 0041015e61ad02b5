import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { program } from '../../support/program.ts';
import { isRoot, needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { buildGood, buildInline, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

/** Servers of this machine: one for its network, one on loopback. */
const [open, local] = [serve('0.0.0.0'), serve('127.0.0.1')];
const portOf = ({ server }: typeof open) => (server.address() as AddressInfo).port;

function serve(address: string): { server: Server; address: string } {
  return { server: createServer((_, response) => response.end(`at ${address}\n`)), address };
}

beforeAll(async () => {
  for (const { server, address } of [open, local]) {
    server.listen(0, address);
    await once(server, 'listening');
  }
});
afterAll(() => [open, local].forEach(({ server }) => server.close()));

/** Each attempt prints its answer, or `-`. */
const fetches = (...urls: string[]) =>
  urls.map((url) => `{ wget -T 3 -qO- ${url} 2> /dev/null || echo -; }`).join('; ');
const dockerfile = (run: string) => ({ Dockerfile: `FROM busybox\nRUN { ${run}; } > /seen\n` });

describe.each(builders)('the network of a step of $who', ({ asUser }) => {
  test("is the machine's, whose address host-gateway gives", async () => {
    const run = fetches(`http://machine:${portOf(open)}`, `http://127.0.0.1:${portOf(local)}`);
    const build = await buildGood(dockerfile(run), { asUser, args: ['--add-host', 'machine:host-gateway'] });
    expect(build.tree().readText('/seen')).toBe('at 0.0.0.0\nat 127.0.0.1\n');
  });

  test.each(['--network=none', ''])('is loopback only when requested, by RUN %s', async (flag) => {
    const files = {
      Dockerfile: `FROM busybox\nRUN ${flag} { ${fetches(`http://127.0.0.1:${portOf(open)}`)}; } > /seen\n`,
    };
    const build = await buildGood(files, { asUser, args: flag === '' ? ['--network', 'none'] : [] });
    expect(build.tree().readText('/seen')).toBe('-\n');
  });
});

/** Makes devices that everybody may open, as on most machines, in a private mount namespace. */
const tunForAll = 'mkdir -p /dev/net; mount -t tmpfs none /dev/net; mknod -m 666 /dev/net/tun c 10 200; exec "$@"';
const hasAddress = Object.values(networkInterfaces()).some((each) => each?.some(({ internal }) => !internal));

describe('a network through pasta', needs('root', 'pasta', { met: hasAddress, lacks: 'a network' }), () => {
  const build = (files: Record<string, string>, { asUser, args = [] }: { asUser: boolean; args?: string[] }) => {
    const home = userDirectory('pasta');
    const { name } = ordinaryUser();
    const user = asUser ? ['setpriv', '--reuid', name, '--regid', name, '--init-groups'] : [];
    const tbuild = [program, 'build', '--progress', 'plain', '--network', 'pasta', ...baseImageArguments(), ...args];
    const command = [...user, ...tbuild, '-o', `type=local,dest=${home}/out`, writeFiles(files)];
    return runProcess('unshare', ['--mount', 'sh', '-ec', tunForAll, 'sh', ...command], {
      env: { HOME: home, TBUILD_ROOT: `${home}/store` },
    });
  };

  test.each(builders)(
    'isolates the step of $who, which reaches the machine only through host-gateway',
    async ({ asUser }) => {
      const run = fetches(
        `http://machine:${portOf(open)}`,
        `http://127.0.0.1:${portOf(local)}`,
        `http://machine:${portOf(local)}`,
      );
      const { stderr, exitCode } = await build(
        { Dockerfile: `FROM busybox\nRUN ${run}; cat /etc/resolv.conf; ls /sys/class/net | wc -l\n` },
        { asUser, args: ['--add-host', 'machine:host-gateway'] },
      );
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toMatch(/at 0\.0\.0\.0\n.* -\n.* -\n(.*search.*\n)?.*nameserver 169\.254\.1\.1\n/);
    },
  );

  test('serves RUN --network=default but not none, in oci isolation too', async () => {
    const files = { Dockerfile: `FROM busybox\nRUN ip route | grep -c default\nRUN --network=none ip route | wc -l\n` };
    const { stderr, exitCode } = await build(files, { asUser: false, args: ['--isolation', 'oci'] });
    expect(exitCode, stderr).toBe(0);
    expect(stderr.match(/^#\d+ \d\.\d+ \d+$/gm)?.map((line) => line.split(' ').at(-1))).toEqual(['1', '0']);
  });

  test('ends with the step', async () => {
    await build({ Dockerfile: 'FROM busybox\nRUN true\n' }, { asUser: false });
    // The background cleanup of the store names it too, for a moment.
    await vi.waitFor(() => expect(processesNaming('tbuild-pasta')).toEqual([]), patiently);
    const { stdout } = await runProcess('ps', ['-eo', 'ppid,args']);
    expect(stdout.split('\n').filter((line) => /^ *1 pasta .* \/tmp\/pasta\//.test(line))).toEqual([]);
  });
});

test('pasta is refused without isolation, and an unknown network is a usage error', async () => {
  const files = { Dockerfile: 'FROM busybox\nRUN true\n' };
  if (isRoot) {
    const chroot = await buildInline(files, { args: ['--isolation', 'chroot', '--network', 'pasta'] });
    expect(chroot).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be kept from the network') });
  }
  const made = await buildInline(files, { args: ['--network', 'bridge'] });
  expect(made).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('Invalid --network "bridge": expected default, none, host, pasta'),
  });
});
