import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The fault of one request. */
export type Fault =
  /** Answered without asking the registry. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Closes the connection with the answer, even if the request is incomplete. */
      readonly close?: boolean;
    }
  /** Never answered. */
  | { readonly kind: 'hang' }
  /** Answered so many milliseconds late. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The connection breaks after so many bytes of the answer. */
  | { readonly kind: 'cut-answer'; readonly after: number }
  /** The connection breaks in the middle of the answer's headers. */
  | { readonly kind: 'cut-headers' }
  /** The answer stalls after so many bytes. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The registry gets the whole request, but its answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** The connection breaks after so many bytes of the request. */
  | { readonly kind: 'cut-request'; readonly after: number }
  /** The request is not read and the connection is reset, as by a machine that goes down. */
  | { readonly kind: 'reset' }
  /** The request is read, but does not reach the registry, and the connection breaks. */
  | { readonly kind: 'lose-request' }
  /** One byte of the answer is changed. */
  | { readonly kind: 'corrupt'; readonly at: number }
  /** The answer comes at so many bytes a second. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The answer ends after half of its bytes, as if these were all. */
  | { readonly kind: 'half' }
  /** A range that is asked for is answered with one that begins so many bytes later. */
  | { readonly kind: 'other-range'; readonly by: number }
  /** The answer has other headers. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> };

/** Method and path with query, e.g. `GET /v2/app/blobs/sha256:…`. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  /** All requests so far. */
  readonly seen: SeenRequest[];
  /**
   * Decides the fault of each request; `count` is the number of earlier requests with the same line. A request waits for
   * the promise.
   */
  decide: (line: string, count: number, headers: IncomingMessage['headers']) => Decision | Promise<Decision>;
}

type Decision = Fault | undefined;

/** Starts a proxy in front of a registry that fails as real networks do. Default: on a free port. */
export async function startFaultProxy(upstream: string, ownPort = 0, address = '127.0.0.1'): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    const decision = proxy.decide(line, seen.filter((other) => other.line === line).length, request.headers);
    seen.push({ line, headers: request.headers });
    const fault = await decision;
    if (fault?.kind === 'answer') return answer(request, response, fault);
    if (fault?.kind === 'lose-request') return void request.resume().on('end', () => response.destroy());
    if (fault?.kind === 'reset') return void setTimeout(() => request.socket.resetAndDestroy(), 100);
    if (fault?.kind === 'hang') return void request.resume();
    forward(upstream, { request, response, fault });
  });
  await new Promise<void>((resolve) => server.listen(ownPort, address, resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    host: address === '::1' ? `[::1]:${port}` : `${address}:${port}`,
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
  if (fault.close !== true) request.resume();
  response.writeHead(fault.status, { ...fault.headers, ...(fault.close && { connection: 'close' }) });
  response.end(fault.body ?? '', () => {
    if (fault.close === true) request.destroy();
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault?: Exclude<Fault, { kind: 'answer' | 'lose-request' | 'hang' | 'reset' }>;
}

// The Host header stays, so that the registry's locations lead back to the proxy.
function forward(upstream: string, { request, response, fault }: Exchange): void {
  const [host, port] = upstream.split(':');
  const { range } = request.headers;
  const other = fault?.kind === 'other-range' && range !== undefined ? { range: moved(range, fault.by) } : {};
  const headers = { ...request.headers, ...other };
  const outgoing = send({ host, port, method: request.method, path: request.url, headers });
  outgoing.on('error', () => response.destroy());
  outgoing.on('response', (incoming) => {
    if (fault?.kind === 'lose-answer') return void response.destroy();
    if (fault?.kind === 'cut-headers')
      return void response.socket?.end(`HTTP/1.1 ${incoming.statusCode} Status\r\nContent-Le`);
    const delay = fault?.kind === 'delay' ? fault.milliseconds : 0;
    setTimeout(() => giveBack(incoming, response, fault), delay);
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

function moved(range: string, by: number): string {
  return range.replace(/\d+/, (start) => String(Math.max(0, Number(start) + by)));
}

function giveBack(incoming: IncomingMessage, response: ServerResponse, fault: Exchange['fault']): void {
  const half = fault?.kind === 'half' ? Math.floor(Number(incoming.headers['content-length']) / 2) : NaN;
  response.writeHead(incoming.statusCode ?? 500, {
    ...incoming.headers,
    ...(fault?.kind === 'headers' ? fault.headers : {}),
    ...(half >= 0 ? { 'content-length': String(half) } : {}),
  });
  if (fault?.kind === 'slow') return void trickle(incoming, response, fault.bytesPerSecond).catch(() => {});
  pass(
    incoming,
    (chunk, at) => {
      if ((fault?.kind === 'cut-answer' || fault?.kind === 'stall') && at + chunk.length > fault.after) {
        const last = chunk.subarray(0, Math.max(0, fault.after - at));
        response.write(last, () => fault.kind === 'cut-answer' && response.destroy());
        return false;
      }
      if (at + chunk.length > half) {
        response.end(chunk.subarray(0, Math.max(0, half - at)));
        return false;
      }
      const change = fault?.kind === 'corrupt' ? fault.at - at : -1;
      if (change >= 0 && change < chunk.length) chunk[change] = (chunk[change] ?? 0) ^ 0xff;
      response.write(chunk);
      return true;
    },
    () => response.end(),
  );
}

async function trickle(source: IncomingMessage, response: ServerResponse, bytesPerSecond: number): Promise<void> {
  const size = Math.ceil(bytesPerSecond / 20);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += size) {
      const part = chunk.subarray(at, at + size);
      await sleep((part.length / bytesPerSecond) * 1000);
      response.write(part);
    }
  }
  response.end();
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
