import type { HttpRequest } from './http-message.ts';
import type { ProxyOptions } from './transport/choose-proxy.ts';
import { compose } from './transport/compose.ts';
import { createHttpClient } from './transport/http.ts';
import type { WaitLimits } from './transport/least-rate.ts';
import { redirect } from './transport/redirect.ts';
import { retry, type Clock } from './transport/retry.ts';
import { userAgent } from './transport/user-agent.ts';

export interface WebClientOptions extends WaitLimits {
  /** Returns additional trusted certificates (PEM). Called only if the known ones do not suffice. */
  ca?(): string;
  readonly proxy?: ProxyOptions;
  readonly userAgent: string;
  readonly clock: Clock;
}

/** An answer of a server. Its receiver reads `body` to the end or calls `discard`. */
export interface WebAnswer {
  readonly status: number;
  /** The URL after redirects. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** A request to a server. Bytes are sent again after a transient failure; a stream is sent once. */
export type WebRequest = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'signal'>;

/** Talks to servers other than registries, with the same proxies, certificates, retries and redirects. */
export interface WebClient extends AsyncDisposable {
  readonly clock: Clock;
  /**
   * Every status counts as an answer. An `authorization` header is not sent to another origin.
   * @throws RegistryError without an answer; the signal's reason on abort.
   */
  get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WebAnswer>;
  /**
   * Sends a request. Every status counts as an answer.
   * @throws RegistryError without an answer; the signal's reason on abort.
   */
  send(request: WebRequest): Promise<WebAnswer>;
}

/** The caller disposes of the client. */
export function createWebClient({ userAgent: agent, clock, ...options }: WebClientOptions): WebClient {
  const http = createHttpClient({ ...options, insecure: false, peer: 'Server', now: clock.now });
  const send = compose(http.send, userAgent(agent), retry(clock), redirect());
  return {
    clock,
    get: (url, headers, signal) => send({ method: 'GET', url, access: 'pull', headers, signal }),
    send: (request) => send({ ...request, access: request.method === 'GET' ? 'pull' : 'push' }),
    [Symbol.asyncDispose]: () => http.close(),
  };
}
