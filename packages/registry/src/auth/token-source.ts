import { abortable } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { readBody, type HttpRequest, type HttpResponse, type Send } from '../http-message.ts';
import { refusal, RegistryError } from '../registry-error.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, type Credential, type CredentialSource } from './credential.ts';

export interface TokenRequest {
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly repository: string;
}

/** The access tokens of one registry. Each is fetched once and kept while it is valid. */
export interface TokenSource {
  /** @throws RegistryError UNAUTHORIZED if the token server gives no token. */
  get(request: TokenRequest, signal?: AbortSignal): Promise<string>;
  /** Discards a token that the registry refused. */
  forget(token: string | undefined): void;
}

export interface TokenSourceOptions {
  /** Sends requests to the token server, without authentication of its own. */
  readonly send: Send;
  readonly registry: string;
  readonly credentials: CredentialSource;
  /** Whether credentials may go to a token server without TLS. */
  readonly insecure: boolean;
  now(): number;
}

interface Token {
  readonly text: string;
  readonly expires: number;
}

const CLIENT_ID = 'tbuild';
// "Token Response Fields": the default lifetime.
const DEFAULT_LIFE = 60;
const MARGIN = 10_000;

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const tokens = new Map<string, Promise<Token>>();

  const getToken = async (key: string, request: TokenRequest): Promise<Token> => {
    const held = await tokens.get(key)?.catch(() => undefined);
    if (held !== undefined && held.expires > options.now()) return held;
    const fetching = fetchToken(request, options);
    tokens.set(key, fetching);
    return fetching;
  };

  return {
    async get(request, signal) {
      const { realm, service } = request.challenge.parameters;
      const key = JSON.stringify([realm, service, request.repository, ...request.scopes]);
      // Several requests may share a token, so an abort of one must not stop the fetch.
      return (await abortable(getToken(key, request), signal)).text;
    },
    forget(text) {
      for (const [key, token] of tokens)
        void token.then(
          (held) => held.text === text && tokens.delete(key),
          () => tokens.delete(key),
        );
    },
  };
}

async function fetchToken(request: TokenRequest, options: TokenSourceOptions): Promise<Token> {
  const url = parseRealm(request.challenge.parameters.realm ?? '', options);
  const credential = await options.credentials(options.registry, request.repository);
  if (credential?.kind === 'registry-token') return { text: credential.token, expires: Number.POSITIVE_INFINITY };
  if (credential !== undefined && url.protocol !== 'https:' && !options.insecure) {
    throw new RegistryError(
      'UNAUTHORIZED',
      `Registry ${options.registry} wants credentials sent to ${url.host} without encryption`,
      { url },
    );
  }
  const message =
    credential?.kind === 'identity-token' ? exchange(url, request, credential.token) : query(url, request, credential);
  const response = await options.send(message);
  const repository = `${options.registry}/${request.repository}`;
  const refused = credential?.from;
  if (response.status !== 200)
    throw await refusal(
      message,
      { ...response, refused },
      { repository, item: `token for ${repository}`, failed: failureOf(credential) },
    );
  return parseToken(response, url, options.now());
}

function failureOf(credential: Credential | undefined): string {
  return `Failed to authorize: failed to fetch ${credential === undefined ? 'anonymous' : 'oauth'} token`;
}

// Behind a proxy that ends TLS, some registries give their own address without TLS.
function parseRealm(realm: string, { registry, insecure }: TokenSourceOptions): URL {
  if (!URL.canParse(realm) || !/^https?:/i.test(realm))
    throw new TbuildError('REGISTRY', `Registry ${registry} names ${JSON.stringify(realm)} as its token server`);
  const url = new URL(realm);
  if (!insecure && url.protocol === 'http:' && url.host === registry) url.protocol = 'https:';
  return url;
}

function query(realm: URL, { challenge, scopes }: TokenRequest, credential?: Credential): HttpRequest {
  const url = new URL(realm);
  const { service } = challenge.parameters;
  if (service !== undefined) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const isUser = credential?.kind === 'password';
  if (isUser) url.searchParams.append('account', credential.username);
  return {
    method: 'GET',
    url,
    access: 'pull',
    headers: isUser ? { authorization: basicAuthorization(credential) } : {},
  };
}

// "Authenticate with the token server using OAuth2".
function exchange(url: URL, { challenge, scopes }: TokenRequest, refreshToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service: challenge.parameters.service ?? url.host,
    client_id: CLIENT_ID,
    scope: scopes.join(' '),
    refresh_token: refreshToken,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, access: 'pull', headers, body: Buffer.from(form.toString()) };
}

/** What a header may have ("Field Values" of RFC 9110). */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]+$/;

async function parseToken(response: HttpResponse, url: URL, now: number): Promise<Token> {
  const document = parseObject((await readBody(response, 1024 * 1024)).toString('utf8'));
  const text = document.token ?? document.access_token;
  if (typeof text !== 'string' || text === '')
    throw new RegistryError('REGISTRY', `Token server ${url.host} sent no token`, { url });
  if (!HEADER_TEXT.test(text))
    throw new RegistryError('REGISTRY', `Token server ${url.host} sent a token that is not valid`, { url });
  const life =
    1000 * (typeof document.expires_in === 'number' && document.expires_in > 0 ? document.expires_in : DEFAULT_LIFE);
  return { text, expires: now + life - Math.min(MARGIN, life / 2) };
}

function parseObject(text: string): { token?: unknown; access_token?: unknown; expires_in?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Answer of the token server is not valid JSON', { cause });
  }
}
