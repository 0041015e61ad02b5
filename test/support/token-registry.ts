import { createPrivateKey, createSign, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeCertificate } from './certificate.ts';
import { freePort, startDaemon } from './daemon.ts';
import { scratchDirectory } from './scratch.ts';

/** A request to the token server. */
export interface TokenQuery {
  readonly method: string;
  readonly scopes: readonly string[];
  /** `anonymous`, a user, or `refresh`. */
  readonly as: string;
}

export interface TokenRegistry extends AsyncDisposable {
  readonly host: string;
  readonly queries: TokenQuery[];
}

export interface TokenUser {
  readonly username: string;
  readonly password: string;
}

export const tokenUser: TokenUser = { username: 'alice', password: 's3cret:with colon' };
export const refreshToken = 'a-refresh-token';
const SERVICE = 'test-service';
const ISSUER = 'test-issuer';

/**
 * Starts docker-registry with a token server, as GitLab has: everyone may pull from `public/…`; the user and the holder of
 * the refresh token may do everything.
 */
export async function startTokenRegistry(user: TokenUser = tokenUser): Promise<TokenRegistry> {
  const directory = scratchDirectory('token-registry');
  const { key, certificate } = await makeKey(directory);
  const queries: TokenQuery[] = [];
  const server = createServer(async (request, response) => {
    const query = await readQuery(request, user);
    queries.push(query);
    if (query.as === 'nobody')
      return response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
    const token = sign({ key, certificate }, query);
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${await freePort()}`;
  const daemon = await startDaemon({
    program: 'docker-registry',
    args: ['serve', writeConfiguration(directory, host, `http://127.0.0.1:${port}/token`)],
    logFile: join(directory, 'log'),
    isReady: () =>
      fetch(`http://${host}/v2/`).then(
        () => true,
        () => false,
      ),
  });
  return {
    host,
    queries,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function makeKey(directory: string): Promise<{ key: KeyObject; certificate: string }> {
  const files = { key: join(directory, 'key.pem'), certificate: join(directory, 'certificate.pem') };
  await makeCertificate('tokens', files);
  const certificate = new X509Certificate(readFileSync(files.certificate)).raw.toString('base64');
  return { key: createPrivateKey(readFileSync(files.key)), certificate };
}

function writeConfiguration(directory: string, host: string, realm: string): string {
  const path = join(directory, 'config.yml');
  mkdirSync(join(directory, 'storage'));
  const configuration = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') }, delete: { enabled: true } },
    http: { addr: host },
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: join(directory, 'certificate.pem') } },
  };
  // YAML contains JSON.
  writeFileSync(path, JSON.stringify(configuration));
  return path;
}

async function readQuery(request: IncomingMessage, user: TokenUser): Promise<TokenQuery> {
  const method = request.method ?? '';
  if (method === 'POST') {
    const form = new URLSearchParams(await text(request));
    const isRight =
      form.get('grant_type') === 'refresh_token' &&
      form.get('refresh_token') === refreshToken &&
      form.get('service') === SERVICE;
    return { method, scopes: (form.get('scope') ?? '').split(' '), as: isRight ? 'refresh' : 'nobody' };
  }
  const { searchParams } = new URL(request.url ?? '', 'http://host');
  const expected = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
  const { authorization } = request.headers;
  const as = authorization === undefined ? 'anonymous' : authorization === expected ? user.username : 'nobody';
  return { method, scopes: searchParams.getAll('scope'), as: searchParams.get('service') === SERVICE ? as : 'nobody' };
}

function sign({ key, certificate }: { key: KeyObject; certificate: string }, { scopes, as }: TokenQuery): string {
  const access = scopes.map((scope) => {
    const [type, name = '', actions = ''] = scope.split(':');
    const granted = as === 'anonymous' ? (name.startsWith('public/') ? ['pull'] : []) : actions.split(',');
    return { type, name, actions: granted };
  });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: as,
    aud: SERVICE,
    iat: now,
    nbf: now - 5,
    exp: now + 300,
    jti: String(Math.random()),
    access,
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const message = `${encode({ typ: 'JWT', alg: 'RS256', x5c: [certificate] })}.${encode(claims)}`;
  return `${message}.${createSign('RSA-SHA256').update(message).sign(key, 'base64url')}`;
}
