import { createServer, request as send, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

export interface WebProxyOptions {
  /** Maps a name and port to the real `host:port`; undefined means that it does not exist. */
  route(target: string): string | undefined;
  /** Requires authentication as this user. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** The only port that CONNECT may use, as in many proxies. */
  readonly onlyPort?: number;
}

export interface WebProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The requests, e.g. `CONNECT registry.example:443` or `GET http://registry.example/v2/`. */
  readonly asked: string[];
  /** The `Authorization` headers that it saw in clear. */
  readonly overheard: string[];
}

/** Starts a corporate-style HTTP proxy that forwards plain requests and tunnels encrypted ones. */
export async function startWebProxy({ route, auth, onlyPort }: WebProxyOptions): Promise<WebProxy> {
  const asked: string[] = [];
  const overheard: string[] = [];
  const wanted = auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  const refusal = (request: IncomingMessage, target: string): number | undefined => {
    asked.push(`${request.method} ${request.url}`);
    if (request.headers.authorization !== undefined) overheard.push(request.headers.authorization);
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) return 407;
    if (request.method === 'CONNECT' && onlyPort !== undefined && !target.endsWith(`:${onlyPort}`)) return 403;
    return route(target) === undefined ? 502 : undefined;
  };
  const server = createServer((request, response) => {
    const { host, pathname, search } = new URL(request.url ?? '');
    const refused = refusal(request, host);
    if (refused !== undefined) return void response.writeHead(refused).end();
    const [hostname, port] = (route(host) ?? '').split(':');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const outgoing = send({ hostname, port, path: `${pathname}${search}`, method: request.method, headers });
    outgoing.on('error', () => response.writeHead(502).end());
    outgoing.on('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 500, incoming.headers);
      incoming.pipe(response);
    });
    request.pipe(outgoing);
  });
  server.on('connect', (request, socket) => {
    const target = request.url ?? '';
    const refused = refusal(request, target);
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} No\r\nContent-Length: 0\r\n\r\n`);
    const [hostname, port] = (route(target) ?? '').split(':');
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    overheard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
