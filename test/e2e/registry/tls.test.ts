import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeAuthority } from '../../support/certificate.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runTbuild } from '../../support/tbuild.ts';

const auth = Buffer.from('me:s3cret').toString('base64');

interface Answers {
  readonly tls: RequestListener;
  readonly plain?: RequestListener;
  readonly certificate?: Parameters<typeof makeAuthority>[2];
}

/** Starts a registry that speaks TLS and plain HTTP on one port. */
async function startServer({ tls, plain, certificate }: Answers) {
  const directory = scratchDirectory('tls');
  const filesOf = (name: string) => ({
    key: join(directory, `${name}.key`),
    certificate: join(directory, `${name}.crt`),
  });
  const [authority, own] = [filesOf('authority'), filesOf('server')];
  await makeAuthority(authority, own, certificate);
  const secure = createServer({ key: readFileSync(own.key), cert: readFileSync(own.certificate) }, tls);
  const open = createPlainServer(plain ?? tls);
  const server = createSocketServer((socket) => {
    socket.on('error', () => {});
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      socket.unshift(first);
      (first[0] === 0x16 ? secure : open).emit('connection', socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    /** A name that does not count as a loopback address, which would allow HTTP. */
    host: `127.1:${(server.address() as AddressInfo).port}`,
    authority: authority.certificate,
    async [Symbol.asyncDispose]() {
      secure.closeAllConnections();
      open.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Pulls with credentials for the registry. */
function pull(host: string, ca: string | undefined) {
  const HOME = scratchDirectory('home');
  mkdirSync(join(HOME, '.docker'));
  writeFileSync(join(HOME, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  const args = ca === undefined ? [] : ['--ca', ca];
  return runTbuild(['pull', ...args, `${host}/app:1`], { store: scratchDirectory('store'), env: { HOME } });
}

type Certificate = NonNullable<Answers['certificate']>;

test.each<[string, Certificate | undefined, string]>([
  ['of an unknown authority', undefined, 'cannot be trusted: certificate signed by unknown authority'],
  ['for another name', { name: 'DNS:registry.example' }, 'has a certificate for another name'],
  [
    'that has expired',
    { options: ['-not_before', '20200101000000Z', '-not_after', '20200201000000Z'] },
    'has a certificate that has expired',
  ],
])('a registry with a certificate %s gets no request, and no credentials', async (_, certificate, message) => {
  const seen: unknown[] = [];
  await using server = await startServer({
    certificate,
    tls: ({ url, headers }, response) => void response.end(String(seen.push([url, headers.authorization]))),
  });
  const { exitCode, stderr } = await pull(server.host, certificate && server.authority);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
  expect(seen).toEqual([]);
});

test('a registry that redirects from TLS to plain HTTP gets no credentials there', async () => {
  const seen = { tls: [] as unknown[], plain: [] as unknown[] };
  const challenge = { 'www-authenticate': 'Basic realm="x"' };
  await using server = await startServer({
    tls({ headers: { authorization }, url }, response) {
      seen.tls.push(authorization);
      if (authorization === undefined) return void response.writeHead(401, challenge).end();
      response.writeHead(307, { location: `http://${server.host}${url}` }).end();
    },
    plain({ headers: { authorization } }, response) {
      seen.plain.push(authorization);
      response.writeHead(401, challenge).end();
    },
  });
  expect((await pull(server.host, server.authority)).exitCode).toBe(1);
  expect(seen.tls).toContain(`Basic ${auth}`);
  expect(new Set(seen.plain)).toEqual(new Set([undefined]));
});

test('a challenge that comes in plain text, after a redirect, does not decide where the password goes', async () => {
  const seen: unknown[] = [];
  await using server = await startServer({
    tls({ headers: { authorization }, url = '' }, response) {
      if (!url.startsWith('/token'))
        return void response.writeHead(307, { location: `http://${server.host}${url}` }).end();
      seen.push(authorization);
      response.end('{"token":"t"}');
    },
    plain(_, response) {
      seen.push('plain');
      response.writeHead(401, { 'www-authenticate': `Bearer realm="https://${server.host}/token"` }).end();
    },
  });
  expect((await pull(server.host, server.authority)).exitCode).toBe(1);
  expect(new Set(seen)).toEqual(new Set(['plain']));
});
