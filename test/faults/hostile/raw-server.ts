import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Answer } from './answers.ts';

/** A request as a server sees it. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A server that answers with any bytes. Neither it nor its connections keep the process. */
export interface RawServer {
  readonly host: string;
  answer: (request: RawRequest) => Answer;
}

export async function startRawServer(): Promise<RawServer> {
  const server = createServer((socket) => serve(socket.unref().setNoDelay(), raw)).unref();
  const raw: RawServer & { host: string } = { host: '', answer: () => ({ status: 500, headers: [], body: '' }) };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address: string | AddressInfo | null = server.address();
  raw.host = `127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
  return raw;
}

function serve(socket: Socket, server: RawServer): void {
  let text = '';
  let least = 0;
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (bytes: string) => {
    text += bytes;
    // Not HTTP but TLS.
    if (text.startsWith('\x16')) socket.destroy();
    while (text.length > least) {
      const next = takeRequest(text);
      least = typeof next === 'number' ? next - 1 : 0;
      if (typeof next === 'number') continue;
      text = next.rest;
      write(socket, next.request, server.answer(next.request));
    }
  });
}

/** Returns the first request of a text, or how long the text has to be at least to have all of it. */
function takeRequest(text: string): { readonly request: RawRequest; readonly rest: string } | number {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return text.length + 1;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [method = '', target = ''] = first.split(' ');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const start = end + 4;
  const isChunked = headers.has('transfer-encoding');
  const chunksEnd = isChunked ? text.indexOf(LAST_CHUNK, end + 2) : 0;
  if (chunksEnd < 0) return text.length + 1;
  const after = isChunked ? chunksEnd + LAST_CHUNK.length : start + Number(headers.get('content-length') ?? 0);
  if (text.length < after) return after;
  return { request: { method, target, headers, body: text.slice(start, after) }, rest: text.slice(after) };
}

const LAST_CHUNK = '\r\n0\r\n\r\n';

/** Ends the connection after an answer that does not have as many bytes as it says: the client would wait for more. */
function write(socket: Socket, { method }: RawRequest, { status, headers, body, start }: Answer): void {
  const bytes = Buffer.from(body, 'latin1');
  const own = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const isFramed = headers.some(
    ([name, value]) => /^(?:content-length|transfer-encoding|connection)$/i.test(name) || /[\r\n]/.test(value),
  );
  const length = isFramed || status === 204 || status === 304 ? '' : `Content-Length: ${bytes.length}\r\n`;
  const head = Buffer.from(`${start ?? `HTTP/1.1 ${status} X`}\r\n${own}${length}\r\n`, 'latin1');
  socket.write(method === 'HEAD' || status === 204 || status === 304 ? head : Buffer.concat([head, bytes]));
  if (isFramed || start !== undefined || status < 200) socket.end();
}
