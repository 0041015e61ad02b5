import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { errnoName } from '@tbuild/errors';
import type { Dispatcher } from 'undici';
import type { HttpRequest, HttpResponse, Send } from '../http-message.ts';
import { unreachable } from '../registry-error.ts';
import { directAddresses } from './direct-addresses.ts';

/** Proxies (URLs) as the environment names them; an empty text is none. Loopback is never reached through one. */
export interface ProxyOptions {
  readonly http?: string;
  /** As `http` unless given. */
  readonly https?: string;
  /** Comma-separated hosts and address ranges that are reached directly. */
  readonly none?: string;
}

export interface HttpOptions {
  /** PEM certificates that are trusted beside the known ones. */
  readonly ca?: string;
  /** What this side shows of itself (PEM). */
  readonly client?: { readonly certificate: string; readonly key: string };
  readonly proxy?: ProxyOptions;
  /** Whether any certificate will do. */
  readonly insecure: boolean;
  /** What errors call the other side. Default: `Registry`. */
  readonly peer?: string;
}

/** A pool of connections. */
export interface HttpClient {
  readonly send: Send;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT = 15_000;
const BODY_TIMEOUT = 60_000;
const NEVER_BY_PROXY = ['localhost', '127.0.0.1', '[::1]'];

/** The bottom of the stack. undici is loaded with the first request: it costs a fully cached build too much. */
export function createHttpClient(options: HttpOptions): HttpClient {
  let proxied: Promise<Dispatcher> | undefined;
  let direct: Promise<Dispatcher> | undefined;
  const isDirect = directAddresses(options.proxy?.none);
  const agentFor = ({ hostname }: URL): Promise<Dispatcher> =>
    isDirect(hostname)
      ? (direct ??= createAgent({ ...options, proxy: undefined }))
      : (proxied ??= createAgent(options));
  return {
    send: async (request) => exchange(await agentFor(request.url), request, options.peer),
    close: async () => {
      await (await proxied)?.close();
      await (await direct)?.close();
    },
  };
}

async function createAgent({ ca, client, proxy, insecure }: HttpOptions): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('./undici.ts');
  const trust = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  const tls = {
    ...trust,
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    rejectUnauthorized: !insecure,
  };
  const common = { connect: { timeout: CONNECT_TIMEOUT, ...tls }, bodyTimeout: BODY_TIMEOUT };
  if (!proxy?.http && !proxy?.https) return new Agent(common);
  const { http = '', https = '', none = '' } = proxy;
  const noProxy = [none, ...NEVER_BY_PROXY].filter((host) => host !== '').join(',');
  return new EnvHttpProxyAgent({ ...common, requestTls: tls, httpProxy: http, httpsProxy: https, noProxy });
}

async function exchange(agent: Dispatcher, request: HttpRequest, peer?: string): Promise<HttpResponse> {
  const { url, method, headers, signal } = request;
  const body = watch(request.body);
  try {
    const { pathname, search, origin } = url;
    const answer = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers: { ...headers },
      body: body.stream,
      signal,
    });
    return {
      status: answer.statusCode,
      url,
      headers: joinHeaders(answer.headers),
      body: guarded(request, answer.body, peer),
      discard: async () => answer.body.dump({ limit: 64 * 1024 }).catch(() => {}),
    };
  } catch (error) {
    throw body.failure() ?? failureOf(request, error, peer);
  }
}

async function* guarded(
  request: HttpRequest,
  source: AsyncIterable<Uint8Array>,
  peer?: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    throw failureOf(request, error, peer);
  }
}

function failureOf({ url, signal }: HttpRequest, error: unknown, peer?: string): unknown {
  return signal?.aborted ? signal.reason : unreachable(url, errnoName(error), error, peer);
}

// The source of a body may fail itself; that is not the registry's fault and keeps its own error.
function watch(body: HttpRequest['body']): { stream?: Uint8Array | Readable; failure: () => unknown } {
  if (body === undefined || body instanceof Uint8Array) return { stream: body, failure: () => undefined };
  let failure: unknown;
  const observe = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return { stream: Readable.from(observe(), { objectMode: false }), failure: () => failure };
}

function joinHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
