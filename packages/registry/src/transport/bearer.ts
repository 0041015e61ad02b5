import { parseChallenges, type Challenge } from '../auth/challenge.ts';
import type { TokenSource } from '../auth/token-source.ts';
import { isRepeatable, withHeader, type Access, type HttpRequest, type Middleware } from '../http-message.ts';

export interface BearerOptions {
  /** Returns whether a URL belongs to the registry of the tokens. */
  owns(url: URL): boolean;
  /** The path of the repository in token scopes; undefined for requests about the registry itself. */
  readonly repository?: string;
  readonly tokens: TokenSource;
}

const ACTIONS: Readonly<Record<Access, string>> = {
  pull: 'pull',
  push: 'pull,push',
  delete: 'pull,push,delete',
};

/**
 * Answers a `Bearer` challenge with a token for the repository and the access ("Token Authentication"). After the first
 * challenge, requests carry a token from the start. A refused token is
 * replaced once.
 */
export function bearer({ owns, repository, tokens }: BearerOptions): Middleware {
  let known: Challenge | undefined;
  const demanded = new Map<Access, readonly string[]>();

  const authorize = async (request: HttpRequest, challenge: Challenge): Promise<HttpRequest> => {
    const own =
      demanded.get(request.access) ??
      (repository === undefined ? [] : [`repository:${repository}:${ACTIONS[request.access]}`]);
    const scopes = [...own, ...(request.scopes ?? [])];
    return withHeader(
      request,
      'authorization',
      `Bearer ${await tokens.get({ challenge, scopes, repository: repository ?? '' }, request.signal)}`,
    );
  };

  return (next) => async (request) => {
    if (!owns(request.url)) return next(request);
    const sent = known === undefined ? request : await authorize(request, known);
    const response = await next(sent);
    if (response.status !== 401 || !owns(response.url)) return response;
    const challenge = parseChallenges(response.headers['www-authenticate']).find(({ scheme }) => scheme === 'bearer');
    if (challenge?.parameters.realm === undefined) return response;
    known = challenge;
    const scopes = repository === undefined ? [] : foreignScopes(challenge, repository);
    if (scopes.length > 0) demanded.set(request.access, scopes);
    tokens.forget(sent.headers.authorization?.replace(/^Bearer /, ''));
    if (!isRepeatable(request)) return response;
    await response.discard();
    return next(await authorize(request, challenge));
  };
}

// Our own scope covers the registry's challenge, unless that names the repository differently.
function foreignScopes({ parameters }: Challenge, repository: string): readonly string[] {
  const scopes = (parameters.scope ?? '').split(' ').filter((scope) => scope !== '');
  return scopes.some((scope) => scope.startsWith(`repository:${repository}:`)) ? [] : scopes;
}
