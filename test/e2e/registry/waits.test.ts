import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../support/fault-proxy.ts';
import { runTbuild, writeFiles } from '../../support/tbuild.ts';

let proxy: FaultProxy | undefined;
afterEach(async () => {
  await proxy?.[Symbol.asyncDispose]();
  proxy = undefined;
});

/** Starts a registry that gives this answer to each request for an image. */
async function registryWith(fault: Fault): Promise<FaultProxy> {
  proxy = await startFaultProxy('127.0.0.1:1');
  proxy.decide = (line) => (line === 'GET /v2/' ? { kind: 'answer', status: 200 } : fault);
  return proxy;
}

const busy = (seconds: number): Fault => ({
  kind: 'answer',
  status: 429,
  headers: { 'retry-after': String(seconds) },
});

/** Runs the program and sends it one SIGINT soon after `isTime`. */
async function interrupted(args: readonly string[], isTime: () => boolean) {
  let stopping: Promise<void> | undefined;
  const result = await runTbuild(args, {
    onStart: (child) => {
      stopping = eventually(isTime)
        .then(() => sleep(200))
        .then(() => void child.kill('SIGINT'));
    },
  });
  await stopping;
  return result;
}

const commands: readonly [string, (host: string) => readonly string[]][] = [
  ['a build', (host) => ['--progress', 'plain', writeFiles({ Dockerfile: `FROM ${host}/app\n` })]],
  ['tbuild pull', (host) => ['pull', `${host}/app`]],
  ['tbuild imagetools inspect', (host) => ['imagetools', 'inspect', `${host}/app`]],
];

describe.each(commands)('one Ctrl-C ends %s', (_, args) => {
  test('that waits for the Retry-After of a registry', async () => {
    const { host, seen } = await registryWith(busy(60));
    const { exitCode, stderr } = await interrupted(args(host), () => seen.length > 1);
    expect(exitCode, stderr).toBe(130);
    expect(stderr).toContain(`${host} answered 429: waiting 60s before asking again`);
  });

  test('whose registry never answers', async () => {
    const { host, seen } = await registryWith({ kind: 'hang' });
    const { exitCode, stderr } = await interrupted(args(host), () => seen.length > 1);
    expect(exitCode, stderr).toBe(130);
  });

  test('whose registry accepts a connection and stays silent', async () => {
    let connections = 0;
    const server = await listening(createTcpServer(() => (connections += 1)));
    const { port } = server.address() as AddressInfo;
    const { exitCode, stderr } = await interrupted(args(`127.0.0.1:${port}`), () => connections > 0);
    server.close();
    expect(exitCode, stderr).toBe(130);
  });
});

test('--timeout ends a wait for Retry-After', async () => {
  const { host } = await registryWith(busy(60));
  const context = writeFiles({ Dockerfile: `FROM ${host}/app\n` });
  const { exitCode, stderr } = await runTbuild(['--progress', 'plain', '--timeout', '1s', context]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('The build took longer than --timeout allows: 1s');
});

test('a Retry-After of an hour fails at once, and the hint names the time', async () => {
  const { host, seen } = await registryWith(busy(3600));
  const { exitCode, stderr } = await runTbuild(['pull', `${host}/app`]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`Registry ${host} limits the rate of requests (429)\nhint: Wait 60 minutes, or log in`);
  expect(seen.filter(({ line }) => line.includes('/manifests/'))).toHaveLength(1);
});

test('plain progress shows a wait for a registry', async () => {
  const { host } = await registryWith(busy(60));
  const context = writeFiles({ Dockerfile: `FROM ${host}/app\n` });
  // Ends only when the line is printed.
  const { exitCode, stderr } = await runTbuild(['--progress', 'plain', context], {
    onStart: (child) => {
      let shown = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
        if (shown.includes('answered 429: waiting 60s')) child.kill('SIGINT');
      });
    },
  });
  expect(exitCode, stderr).toBe(130);
});

test('after a failure the program exits at once and closes its idle connections', async () => {
  const closedBy: string[] = [];
  const server = createServer((_request, response) => void response.writeHead(404).end('{}'));
  // Long before the idle timeout of undici.
  server.keepAliveTimeout = 2000;
  server.on('connection', (socket) => {
    socket.on('timeout', () => closedBy.push('registry'));
    socket.on('end', () => closedBy.push('program'));
  });
  await listening(server);
  const { port } = server.address() as AddressInfo;
  const { exitCode } = await runTbuild(['pull', `127.0.0.1:${port}/app`]);
  server.close();
  expect(exitCode).toBe(1);
  expect([...new Set(closedBy)]).toEqual(['program']);
});

async function listening<T extends Server | TcpServer>(server: T): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
