import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface IdentityServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or `https`. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly seen: readonly string[];
}

/** Temporary credentials of AWS. */
export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/**
 * Starts a server with the metadata protocol of EC2, version 2: it answers only with a token that a PUT has given. Its role
 * has the credentials.
 */
export function startInstanceMetadata(credentials: TemporaryCredentials): Promise<IdentityServer> {
  const token = 'token-of-a-session';
  const role = 'builder';
  const place = '/latest/meta-data/iam/security-credentials/';
  return listen(({ method, url, headers }, response) => {
    if (
      method === 'PUT' &&
      url === '/latest/api/token' &&
      headers['x-aws-ec2-metadata-token-ttl-seconds'] !== undefined
    )
      return void response.end(token);
    if (headers['x-aws-ec2-metadata-token'] !== token) return void response.writeHead(401).end();
    if (url === place) return void response.end(role);
    if (url === `${place}${role}`) return void response.end(documentOf(credentials, { Code: 'Success' }));
    response.writeHead(404).end();
  });
}

/** Starts a server with the protocol of the agents of ECS and EKS: `path` has the credentials for callers with a token. */
export function startContainerCredentials(
  credentials: TemporaryCredentials,
  { path, authorization }: { readonly path: string; readonly authorization: string },
): Promise<IdentityServer> {
  return listen(({ url, headers }, response) => {
    if (headers.authorization !== authorization) return void response.writeHead(401).end();
    if (url !== path) return void response.writeHead(404).end();
    response.end(documentOf(credentials, {}));
  });
}

function documentOf({ accessKeyId, secretAccessKey, sessionToken }: TemporaryCredentials, more: object): string {
  const Expiration = new Date(Date.now() + 3600_000).toISOString();
  return JSON.stringify({
    ...more,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration,
  });
}

/** How a builder proves to Azure who it is. */
export interface AzureIdentity {
  readonly tenant: string;
  readonly client: string;
  /** The fields that a request for a token has besides. */
  readonly proof: Readonly<Record<string, string>>;
}

/** Starts a server with the protocol of Microsoft Entra: a token for whoever has the proof, an error for all others. */
export function startAuthority({ tenant, client, proof }: AzureIdentity, tls: Tls): Promise<IdentityServer> {
  const server = createSecureServer(tls);
  const expected = Object.entries({ grant_type: 'client_credentials', client_id: client, ...proof });
  const answer: RequestListener = async (request, response) => {
    const { url = '', headers } = request;
    const json = (status: number, value: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const base = `https://${headers.host}/${tenant}`;
    if (url.startsWith(`/${tenant}/v2.0/.well-known/openid-configuration`)) {
      const places = {
        token_endpoint: `${base}/oauth2/v2.0/token`,
        authorization_endpoint: `${base}/authorize`,
      };
      return json(200, { ...places, issuer: `${base}/v2.0`, jwks_uri: `${base}/keys` });
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const fields = new URLSearchParams(text);
    const isRight =
      url.startsWith(`/${tenant}/oauth2/v2.0/token`) && expected.every(([name, value]) => fields.get(name) === value);
    if (!isRight) return json(401, { error: 'invalid_client', error_description: 'AADSTS7000215: wrong' });
    json(200, { token_type: 'Bearer', expires_in: 3600, access_token: storageToken() });
  };
  return listen(answer, server);
}

/** Starts a server with the protocol of managed identities. */
export function startManagedIdentity(client: string): Promise<IdentityServer> {
  return listen(({ url = '', headers }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (!/^\/metadata\/identity\/oauth2\/token\/?$/.test(pathname)) return void response.writeHead(404).end();
    // A probe has no such header.
    if (headers.metadata !== 'true') return void response.writeHead(400).end('{}');
    const isRight =
      searchParams.get('resource') === 'https://storage.azure.com' && searchParams.get('client_id') === client;
    if (!isRight) return void response.writeHead(400).end('{"error":"invalid_request"}');
    const answer = {
      token_type: 'Bearer',
      expires_in: '3600',
      resource: 'https://storage.azure.com',
      access_token: storageToken(),
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}

/** Returns a token for Azure's storage. Azurite checks all of it but the signature. */
function storageToken(): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/tenant/',
    iat: now,
    nbf: now - 60,
    exp: now + 3600,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.signature`;
}

/** A key and its certificate, in PEM. */
export interface Tls {
  readonly key: Buffer;
  readonly cert: Buffer;
}

async function listen(answer: RequestListener, server: Server = createServer()): Promise<IdentityServer> {
  const seen: string[] = [];
  server.on('request', (request, response) => {
    seen.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${'setSecureContext' in server ? 'https' : 'http'}://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
