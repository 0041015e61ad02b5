import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface IdentityServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
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

async function listen(answer: RequestListener): Promise<IdentityServer> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
