import { parseChallenges } from '../auth/challenge.ts';
import { basicAuthorization, type Credential } from '../auth/credential.ts';
import { isRepeatable, withHeader, type Middleware } from '../http-message.ts';

export interface BasicOptions {
  /** Returns whether a URL belongs to the registry of the credential. */
  owns(url: URL): boolean;
  findCredential(): Promise<Credential | undefined>;
}

/** Answers a `Basic` challenge with user and password, and keeps sending them to this host. */
export function basic({ owns, findCredential }: BasicOptions): Middleware {
  let authorization: string | undefined;
  return (next) => async (request) => {
    if (!owns(request.url) || request.headers.authorization !== undefined) return next(request);
    if (authorization !== undefined) return next(withHeader(request, 'authorization', authorization));
    const response = await next(request);
    if (response.status !== 401 || !owns(response.url)) return response;
    if (!parseChallenges(response.headers['www-authenticate']).some(({ scheme }) => scheme === 'basic'))
      return response;
    const credential = await findCredential();
    if (credential?.kind !== 'password' || !isRepeatable(request)) return response;
    authorization = basicAuthorization(credential);
    await response.discard();
    const answer = await next(withHeader(request, 'authorization', authorization));
    return answer.status === 401 ? Object.assign(answer, { refused: credential.from }) : answer;
  };
}
