import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with one request. */
export type Fault =
  /** Answered without asking the registry. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection breaks after so many bytes of the answer. */
  | { readonly kind: 'cut-answer'; readonly after: number }
  /** The connection breaks after so many bytes of the request. */
  | { readonly kind: 'cut-request'; readonly after: number }
  /** A byte of the answer is another one. */
  | { readonly kind: 'corrupt'; readonly at: number };

/** Method and path with query, e.g. `GET /v2/app/blobs/sha256:…`. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  /** Everything asked so far. */
  readonly seen: SeenRequest[];
  /** Decides for each request, `count` being how many of the same line came before. */
  decide: (line: string, count: number) => Fault | undefined;
}

/** A registry in front of another that does what real networks do. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    const fault = proxy.decide(line, seen.filter((other) => other.line === line).length);
    seen.push({ line, headers: request.headers });
    if (fault?.kind === 'answer') return answer(request, response, fault);
    forward(upstream, { request, response, fault });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    host: `127.0.0.1:${port}`,
    seen,
    decide: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function answer(request: IncomingMessage, response: ServerResponse, fault: Extract<Fault, { kind: 'answer' }>): void {
  request.resume();
  response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault?: Exclude<Fault, { kind: 'answer' }>;
}

// The Host header stays, so that the registry's locations lead back to the proxy.
function forward(upstream: string, { request, response, fault }: Exchange): void {
  const [host, port] = upstream.split(':');
  const outgoing = send({ host, port, method: request.method, path: request.url, headers: request.headers });
  outgoing.on('error', () => response.destroy());
  outgoing.on('response', (incoming) => {
    response.writeHead(incoming.statusCode ?? 500, incoming.headers);
    pass(
      incoming,
      (chunk, at) => {
        if (fault?.kind === 'cut-answer' && at + chunk.length > fault.after) {
          response.write(chunk.subarray(0, Math.max(0, fault.after - at)), () => response.destroy());
          return false;
        }
        const change = fault?.kind === 'corrupt' ? fault.at - at : -1;
        if (change >= 0 && change < chunk.length) chunk[change] = (chunk[change] ?? 0) ^ 0xff;
        response.write(chunk);
        return true;
      },
      () => response.end(),
    );
  });
  pass(
    request,
    (chunk, at) => {
      if (fault?.kind === 'cut-request' && at + chunk.length > fault.after) {
        outgoing.destroy();
        request.destroy();
        return false;
      }
      outgoing.write(chunk);
      return true;
    },
    () => outgoing.end(),
  );
}

function pass(source: IncomingMessage, take: (chunk: Buffer, at: number) => boolean, end: () => void): void {
  let [at, going] = [0, true];
  source.on('data', (chunk: Buffer) => {
    if (going) going = take(chunk, at);
    at += chunk.length;
  });
  source.on('end', () => {
    if (going) end();
  });
  source.on('error', () => {});
}
