import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createWebServer, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { baseImage, baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { isolations } from '../../support/isolations.ts';
import { processesBelow } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess, type ProcessOptions, type ProcessResult } from '../../support/run-process.ts';
import { userDirectory, writeFiles } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

/** Servers of this machine: one for its network, one on loopback. */
const [open, local] = [createWebServer(answer('open')), createWebServer(answer('local'))];
const portOf = (server: Server) => (server.address() as AddressInfo).port;

function answer(text: string): Parameters<typeof createWebServer>[1] {
  return (_, response) => response.end(`${text}\n`);
}

beforeAll(async () => {
  await once(open.listen(), 'listening');
  await once(local.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => [open, local].forEach((server) => server.close()));

const addresses = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ internal, scopeid }) => !internal && !scopeid);
const hasAddress = { met: addresses.length > 0, lacks: 'a network' };

interface Build extends Pick<ProcessOptions, 'onStart'> {
  readonly asUser?: boolean;
  readonly args?: readonly string[];
  /** A variable that the Dockerfile sets. */
  readonly env?: string;
  /** Changes the machine that the build sees. */
  readonly machine?: string;
}

/** Makes a device that everybody may open, as on most machines. */
const TUN = 'mkdir -p /dev/net; mount -t tmpfs none /dev/net; mknod -m 666 /dev/net/tun c 10 200';

/** Runs a build in a mount namespace, with a store of its own. */
function build(runs: readonly string[], { args = [], env, ...options }: Build = {}): Promise<ProcessResult> {
  const lines = ['FROM busybox', ...(env === undefined ? [] : [`ENV ${env}`]), ...runs.map((run) => `RUN ${run}`), ''];
  const context = writeFiles({ Dockerfile: lines.join('\n') });
  return tbuild(['build', ...baseImageArguments(), ...args, context], options);
}

function tbuild(args: readonly string[], { asUser = false, machine = '', onStart }: Build): Promise<ProcessResult> {
  const home = userDirectory('isolated');
  const { name } = ordinaryUser();
  const user = asUser ? ['setpriv', '--reuid', name, '--regid', name, '--init-groups'] : [];
  const script = `${TUN}\n${machine}\nexec "$@"`;
  return runProcess('unshare', ['--mount', 'sh', '-ec', script, 'sh', ...user, program, ...args], {
    env: { HOME: home, TBUILD_ROOT: `${home}/store`, BUILDKIT_PROGRESS: 'plain' },
    onStart,
  });
}

/** Returns what the steps of a good build printed, without the times. */
function printed({ exitCode, stderr }: ProcessResult): (string | undefined)[] {
  expect(exitCode, stderr).toBe(0);
  return [...stderr.matchAll(/^#\d+ \d+\.\d+ (.*)$/gm)].map(([, line]) => line);
}

/** Prints the answers of these addresses, or `-`. */
const fetches = (...urls: string[]) =>
  urls.map((url) => `{ wget -T 3 -qO- ${url} 2> /dev/null || echo -; }`).join('; ');
/** Prints 1 in the isolated network, otherwise 0. */
const IS_ISOLATED = 'ip address | grep -c 198.19.255.1 || true';
/** Waits as long as there is an interface, which ends with pasta. */
const AS_LONG_AS_CONNECTED = 'while ip address | grep -q 198.19.255.1; do sleep 0.1; done';

const SHARED = 'RUN steps use the network of this machine: "tbuild doctor" says why';

describe('the network of steps', needs('root', 'pasta', hasAddress), () => {
  test.each(builders)(
    'of $who is isolated: it reaches the addresses of this machine, but neither loopback nor abstract sockets',
    async ({ asUser }) => {
      const name = `tbuild-test-${process.pid}`;
      await using socket = createServer().listen(`\0${name}`);
      await once(socket, 'listening');
      const urls = addresses.map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));
      const reached = ['machine', ...urls].map((host) => `http://${host}:${portOf(open)}`);
      const refused = ['machine', '127.0.0.1'].map((host) => `http://${host}:${portOf(local)}`);
      const run = `${fetches(...reached, ...refused)}; grep -c ${name} /proc/net/unix || true`;
      const made = await build([run], { asUser, args: ['--add-host', 'machine:host-gateway'] });
      expect(printed(made)).toEqual([...reached.map(() => 'open'), '-', '-', '0']);
      expect(made.stderr).not.toContain(SHARED);
    },
  );

  test.each(isolations)('is isolated with --isolation %s', async (isolation) => {
    expect(printed(await build([IS_ISOLATED], { args: ['--isolation', isolation] }))).toEqual(['1']);
  });

  test('is that of the machine only with an entitlement, and none with --network=none', async () => {
    const made = await build([`--network=host ${IS_ISOLATED}`, '--network=none ip route | wc -l', IS_ISOLATED], {
      args: ['--allow', 'network.host'],
    });
    expect(printed(made)).toEqual(['0', '0', '1']);
  });

  test.each(builders)('of $who asks a nameserver on the loopback of this machine', async ({ asUser }) => {
    await using nameserver = await startNameserver('127.0.0.77');
    const machine = `echo nameserver ${nameserver.address} > /dev/net/resolv; mount --bind /dev/net/resolv /etc/resolv.conf`;
    const made = await build(['nslookup -type=a some.example'], { asUser, machine });
    expect(printed(made)).toContain('Address: 192.0.2.77');
  });

  test('reaches a proxy on the loopback of this machine that a build argument names', async () => {
    const proxy = `http_proxy=http://127.0.0.1:${portOf(local)}`;
    expect(printed(await build([fetches('http://some.example')], { args: ['--build-arg', proxy] }))).toEqual(['local']);
  });

  test('does not open a port of this machine that only ENV names, as the hint says', async () => {
    const proxy = `http_proxy=http://127.0.0.1:${portOf(local)}`;
    const run = 'wget -T 3 -qO- http://some.example';
    const refused = await build([run], { env: proxy });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('hint: Pass the proxy with --build-arg http_proxy=ADDRESS too');
    expect(printed(await build([run], { env: proxy, args: ['--build-arg', proxy] }))).toEqual(['local']);
  });

  test('is one for all targets of a bake', async () => {
    const wait = `until [ -e /tmp/it ]; do nc 127.0.0.1 7000 > /tmp/it 2> /dev/null || rm /tmp/it; done; cat /tmp/it`;
    const target = (run: string) => ({ 'dockerfile-inline': `FROM busybox\nRUN ${run}\n` });
    const file = {
      group: { default: { targets: ['one', 'two'] } },
      target: { one: target('echo met | nc -l -p 7000'), two: target(wait) },
    };
    const directory = writeFiles({ 'docker-bake.json': JSON.stringify(file) });
    const image = baseImage('busybox');
    const args = ['--allow', `fs.read=${image}`, '--set', `*.contexts.busybox=oci-layout://${image}`];
    const made = await tbuild(['bake', '--allow', 'fs=*', '-f', `${directory}/docker-bake.json`, ...args], {});
    expect(printed(made)).toEqual(['met']);
  });

  test.each(builders)('of $who is not waited for after an interrupt', async ({ asUser }) => {
    const hanging = 'printf "#!/bin/sh\\nexec sleep 1000\\n" > /dev/net/pasta; chmod +x /dev/net/pasta';
    let helpers: number[] = [];
    const made = await build(['true'], {
      asUser,
      machine: `${hanging}; mount --bind /dev/net/pasta "$(realpath /usr/bin/pasta)"`,
      onStart: async (child) => {
        await vi.waitUntil(() => (helpers = processesBelow(child, /^sleep$/)).length > 0, patiently);
        child.kill('SIGINT');
      },
    });
    expect(made.exitCode, made.stderr).toBe(130);
    await vi.waitFor(() => expect(helpers.filter(isRunning)).toEqual([]), patiently);
  });

  test.each(builders)('of $who ends with tbuild, even if that is killed', async ({ asUser }) => {
    let pastas: number[] = [];
    await build([AS_LONG_AS_CONNECTED], {
      asUser,
      onStart: async (child) => {
        pastas = await pastasOfRunningStep(child);
        for (const node of processesBelow(child, /^(node|MainThread)$/)) process.kill(node, 'SIGKILL');
      },
    });
    expect(pastas).toHaveLength(1);
    await vi.waitFor(() => expect(pastas.filter(isRunning)).toEqual([]), patiently);
  });
});

describe(
  'steps use the network of the machine, as one line says and doctor explains,',
  needs('root', 'pasta', hasAddress),
  () => {
    test.each([
      ['pasta is not installed', 'mount --bind /dev/null /usr/bin/pasta', 'Install passt (apt install passt)'],
      ['/dev/net/tun is missing', 'rm /dev/net/tun', '--device /dev/net/tun'],
      ['Permission denied', 'chmod 0 /dev/net/tun', 'chmod 666 /dev/net/tun'],
      ['fails as a profile would let it', 'mount --bind /bin/false "$(realpath /usr/bin/pasta)"', 'AppArmor'],
    ])('if %s', async (reason, machine, hint) => {
      const made = await build([IS_ISOLATED, `${IS_ISOLATED} # again`], { machine, asUser: true });
      expect(printed(made)).toEqual(['0', '0']);
      expect(made.stderr.split(SHARED)).toHaveLength(2);
      const found = (await tbuild(['doctor'], { machine, asUser: true })).stdout;
      expect(found.replaceAll(/\s+/g, ' ')).toContain(hint);
      if (!reason.startsWith('fails')) expect(found.replaceAll(/\s+/g, ' ')).toContain(reason);
      const refused = await build([IS_ISOLATED], { machine, asUser: true, args: ['--network', 'pasta'] });
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('RUN steps cannot have a network of their own: ');
    });

    test('after pasta has died', async () => {
      const made = await build([`${AS_LONG_AS_CONNECTED}; echo lost`, IS_ISOLATED], {
        onStart: async (child) => {
          for (const pasta of await pastasOfRunningStep(child)) process.kill(pasta, 'SIGKILL');
        },
      });
      expect(printed(made)).toEqual(['lost', '0']);
      expect(made.stderr).toContain(SHARED);
    });
  },
);

test.each([
  ['wget -T 3 -qO- http://127.0.0.1:9', true],
  ['echo "connect ECONNREFUSED 127.0.0.1:4873 - connection refused"; exit 1', true],
  ['echo "http://192.0.2.1: connection refused"; exit 1', false],
])('the hint for RUN %s speaks of --network=host: %s', needs('root', 'pasta', hasAddress), async (run, isTold) => {
  const { exitCode, stderr } = await build([run]);
  expect(exitCode).toBe(1);
  expect(stderr.includes('hint: Use --network=host')).toBe(isTold);
  const shared = await build([run], { args: ['--network', 'host'] });
  expect(shared.stderr).not.toContain('hint: Use --network=host');
});

/** Starts a nameserver that knows one address for all names. */
async function startNameserver(address: string): Promise<AsyncDisposable & { readonly address: string }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { address: to, port }) => {
    const flags = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]);
    const asked = question.subarray(12, question.indexOf(0, 12) + 5);
    socket.send(Buffer.concat([question.subarray(0, 2), flags, asked, record]), port, to);
  });
  await once(socket.bind(53, address), 'listening');
  return { address, [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())) };
}

/** Waits until a step sleeps. */
async function pastasOfRunningStep(child: ChildProcess): Promise<number[]> {
  await vi.waitUntil(() => processesBelow(child, /^sleep$/).length > 0, patiently);
  return processesBelow(child, /^pasta/);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
