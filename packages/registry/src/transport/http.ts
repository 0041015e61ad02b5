import { unescape } from 'node:querystring';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { abortable, getOrMake } from '@tbuild/concurrency';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Dispatcher } from 'undici';
import { basicAuthorization } from '../auth/credential.ts';
import { readBody, type HttpRequest, type HttpResponse, type Send } from '../http-message.ts';
import { proxyRefused, unreachable } from '../registry-error.ts';
import { chooseProxy, type ProxyOptions } from './choose-proxy.ts';
import { createConnector, trustingOptions, type TlsOptions } from './connector.ts';
import { requireRate, type WaitLimits } from './least-rate.ts';
import { readAhead } from './read-ahead.ts';

export interface HttpOptions extends TlsOptions, WaitLimits {
  readonly proxy?: ProxyOptions;
  /** The name of the other side in errors. Default: `Registry`. */
  readonly peer?: string;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A pool of connections. */
export interface HttpClient {
  readonly send: Send;
  /** Ends all requests and closes idle connections. */
  close(): Promise<void>;
}

const IDLE_TIMEOUT_MS = 120_000;
/** A push may follow a pull after a step that takes this long. Servers usually wait a minute. */
const KEEP_ALIVE_MS = 30_000;
/** A new connection costs less than reading more of an answer that is not needed. */
const MOST_DISCARDED = 64 * 1024;

/** The bottom of the stack. undici is loaded with the first request, since loading it would slow down a cached build. */
export function createHttpClient(options: HttpOptions): HttpClient {
  const agents = new Map<string, Promise<Dispatcher>>();
  const proxyFor = chooseProxy(options.proxy);
  const answered = new Set<string>();
  const agentFor = (tunnel: URL | undefined): Promise<Dispatcher> => {
    return getOrMake(agents, tunnel?.href ?? '', () => createAgent(options, tunnel));
  };
  return {
    async send(request) {
      const proxy = proxyFor(request.url);
      const route = routeTo(request, proxy);
      return exchange(await agentFor(route.tunnel), request, { ...route, proxy, options, answered });
    },
    async close() {
      for (const agent of agents.values()) await (await agent).destroy();
    },
  };
}

interface Route {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The proxy that connects to the origin. */
  readonly tunnel?: URL;
}

/** A proxy forwards plain HTTP requests itself, since many refuse CONNECT to ports without TLS. */
function routeTo({ url, headers }: HttpRequest, proxy: URL | undefined): Route {
  const { origin, pathname, search, host } = url;
  if (proxy === undefined || url.protocol !== 'http:' || !proxy.protocol.startsWith('http'))
    return { origin, path: `${pathname}${search}`, headers, tunnel: proxy };
  const own = authorizationOf(proxy);
  return {
    origin: proxy.origin,
    path: `${origin}${pathname}${search}`,
    headers: { ...headers, host, ...(own === undefined ? {} : { 'proxy-authorization': own }) },
  };
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '') return undefined;
  const plain = { username: unescape(username), password: unescape(password) };
  return basicAuthorization({ kind: 'password', ...plain });
}

async function createAgent(options: HttpOptions, tunnel: URL | undefined): Promise<Dispatcher> {
  const { Agent, buildConnector, ProxyAgent } = await import('./undici.ts');
  const common = { bodyTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  if (tunnel === undefined) return new Agent({ ...common, connect: createConnector(buildConnector, options) });
  const requestTls = trustingOptions(options);
  const proxyTls = trustingOptions({ ca: options.ca, insecure: false });
  return new ProxyAgent({
    uri: withoutUser(tunnel),
    token: authorizationOf(tunnel),
    requestTls,
    proxyTls,
    ...common,
  });
}

function withoutUser(url: URL): string {
  return Object.assign(new URL(url), { username: '', password: '' }).href;
}

interface Way extends Route {
  readonly proxy?: URL;
  readonly options: HttpOptions;
  /** The hosts that have answered. */
  readonly answered: Set<string>;
}

async function exchange(agent: Dispatcher, request: HttpRequest, way: Way): Promise<HttpResponse> {
  const { url, method, signal } = request;
  const { origin, path, headers, options, proxy } = way;
  const { idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const body = watch(request.body);
  try {
    const asked = agent.request({
      origin,
      path,
      method,
      headers: { ...headers },
      body: body.stream,
      signal,
      // By default undici closes the connection after HEAD, for the sake of servers that send a body.
      reset: false,
      headersTimeout: method === 'PUT' || method === 'PATCH' ? 10 * idleTimeoutMs : idleTimeoutMs,
    });
    // undici ignores an abort while it connects.
    const answer = await abortable(asked, signal);
    way.answered.add(url.host);
    if (answer.statusCode === 407 && proxy !== undefined) throw proxyRefused(url, proxy);
    const received = {
      status: answer.statusCode,
      url,
      headers: joinHeaders(answer.headers),
      body: guarded(request, readAhead(answer.body), way),
    };
    return { ...received, discard: async () => void (await readBody(received, MOST_DISCARDED).catch(() => {})) };
  } catch (error) {
    const found = await diagnosed(request, error, way);
    throw body.failure() ?? failureOf(request, found, way);
  }
}

/** Returns the reason for a connection that closed without an answer, if it can be determined. */
async function diagnosed({ url, signal }: HttpRequest, error: unknown, { proxy, options }: Way): Promise<unknown> {
  const isSilent = errnoName(error) === 'UND_ERR_SOCKET' && url.protocol === 'https:';
  if (!isSilent || signal?.aborted || proxy !== undefined || options.client !== undefined) return error;
  const { demandsCertificate, CERTIFICATE_REQUIRED } = await import('./demands-certificate.ts');
  return (await demandsCertificate(url))
    ? Object.assign(new Error('Certificate required', { cause: error }), { code: CERTIFICATE_REQUIRED })
    : error;
}

async function* guarded(
  request: HttpRequest,
  source: AsyncIterable<Uint8Array>,
  way: Way,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // S3 sends a space from time to time while it completes an upload.
    yield* request.method === 'GET' ? requireRate(source, { ...way.options, url: request.url }) : source;
    // Then undici has the connection back for the next request.
    await nextTurn();
  } catch (error) {
    throw failureOf(request, error, way);
  }
}

function failureOf({ url, signal }: HttpRequest, error: unknown, { proxy, options, answered }: Way): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof TbuildError) return error;
  const errno = errnoName(error);
  // The request was not aborted, so the proxy answered something else than success.
  if (proxy !== undefined && errno === 'UND_ERR_ABORTED') return proxyRefused(url, proxy, error);
  return unreachable(url, errno, { peer: options.peer, proxy, hasAnswered: answered.has(url.host), cause: error });
}

// The source of a body may fail itself. That is not the registry's fault, so the error stays as it is. A generator does
// not suffice: the stream throws the failure of the connection into it.
function watch(body: HttpRequest['body']): { stream?: Uint8Array | Readable; failure: () => unknown } {
  if (body === undefined || body instanceof Uint8Array) return { stream: body, failure: () => undefined };
  let failure: unknown;
  const iterator = body[Symbol.asyncIterator]();
  const watched: AsyncIterableIterator<Uint8Array, void> = {
    async next() {
      try {
        const { done, value } = await iterator.next();
        return done === true ? { done, value: undefined } : { done: false, value };
      } catch (error) {
        failure = error;
        throw error;
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => watched,
  };
  return { stream: Readable.from(watched, { objectMode: false }), failure: () => failure };
}

function joinHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
