import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';

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

describe.each(builders)('the network of a step of $who', ({ asUser }) => {
  test("is the machine's with --network=host, whose address host-gateway gives", async () => {
    const run = fetches(`http://machine:${portOf(open)}`, `http://127.0.0.1:${portOf(local)}`);
    const files = { Dockerfile: `FROM busybox\nRUN --network=host { ${run}; } > /seen\n` };
    const args = ['--allow', 'network.host', '--add-host', 'machine:host-gateway'];
    const build = await buildGood(files, { asUser, args });
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

test('an unknown network is a usage error', async () => {
  const made = await buildInline({ Dockerfile: 'FROM busybox\nRUN true\n' }, { args: ['--network', 'bridge'] });
  expect(made).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('Invalid --network "bridge": expected default, none, host, pasta'),
  });
});
