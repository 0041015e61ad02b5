import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';

/** A request to the server, and its answer. */
export interface Exchange {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly status: number;
}

export interface ListeningServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** In order; emptied by `take`. */
  take(): readonly Exchange[];
}

export interface WebFile {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Authorization` header that it requires. */
  readonly authorization?: string;
  /** Sent instead of the file. */
  readonly redirect?: string;
}

/** Starts a server of files by path that revalidates by entity tag; the files may change while it runs. */
export async function startWebServer(files: ReadonlyMap<string, WebFile>): Promise<ListeningServer> {
  return listen((request, response) => {
    const file = files.get(request.url ?? '');
    if (file === undefined) return void response.writeHead(404).end('no such file\n');
    if (file.authorization !== undefined && request.headers.authorization !== file.authorization)
      return void response.writeHead(401).end();
    if (file.redirect !== undefined) return void response.writeHead(302, { location: file.redirect }).end();
    sendFile(file, request, response);
  });
}

function sendFile({ body, headers }: WebFile, request: IncomingMessage, response: ServerResponse): void {
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
  const same = request.headers['if-none-match'] === etag;
  response.writeHead(same ? 304 : 200, { etag, ...headers }).end(same ? undefined : body);
}

/** Listens on a free loopback port. */
export async function listen(listener: RequestListener): Promise<ListeningServer> {
  let exchanges: Exchange[] = [];
  const server = createServer((request, response) => {
    response.on('finish', () =>
      exchanges.push({ path: request.url ?? '', headers: request.headers, status: response.statusCode }),
    );
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    take() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
