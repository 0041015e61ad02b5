import { compose } from './transport/compose.ts';
import type { ProxyOptions } from './transport/choose-proxy.ts';
import { createHttpClient } from './transport/http.ts';
import { redirect } from './transport/redirect.ts';
import { retry, type Clock } from './transport/retry.ts';
import { userAgent } from './transport/user-agent.ts';

export interface WebClientOptions {
  /** Certificates (PEM) that are trusted beside the known ones; asked for when those do not do. */
  ca?(): string;
  readonly proxy?: ProxyOptions;
  readonly userAgent: string;
  readonly clock: Clock;
}

/** What a server sent; whoever gets it reads `body` to its end or calls `discard`. */
export interface WebAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** Reads what is not in a registry, with the same proxies, certificates, retries and redirects. */
export interface WebClient extends AsyncDisposable {
  /**
   * Any status is an answer. An `authorization` header is not sent on to another origin.
   * @throws RegistryError when there is no answer; the signal's reason when aborted.
   */
  get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WebAnswer>;
}

/** Whoever creates the client disposes of it. */
export function createWebClient({ ca, proxy, userAgent: agent, clock }: WebClientOptions): WebClient {
  const http = createHttpClient({ ca, proxy, insecure: false, peer: 'Server' });
  const send = compose(http.send, userAgent(agent), retry(clock), redirect());
  return {
    get: (url, headers, signal) => send({ method: 'GET', url, access: 'pull', headers, signal }),
    [Symbol.asyncDispose]: () => http.close(),
  };
}
