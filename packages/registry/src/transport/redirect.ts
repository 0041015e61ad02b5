import type { HttpRequest, HttpResponse, Middleware, Send } from '../http-message.ts';
import { parseLocation } from '../parse-location.ts';
import { RegistryError } from '../registry-error.ts';

const STATUSES = new Set([301, 302, 303, 307, 308]);
const MOST = 10;

/** Follows redirects of reads, which storage back ends use. Credentials never go to another origin. */
export function redirect(): Middleware {
  return (next) => (request) =>
    request.method === 'GET' || request.method === 'HEAD' ? follow(next, request) : next(request);
}

async function follow(next: Send, request: HttpRequest): Promise<HttpResponse> {
  let current = request;
  for (let count = 0; count <= MOST; count += 1) {
    const response = await next(current);
    const { location } = response.headers;
    if (!STATUSES.has(response.status) || location === undefined) return response;
    await response.discard();
    current = moved(current, parseLocation(location, current.url));
  }
  throw new RegistryError('REGISTRY', `Server ${request.url.host} redirects more than ${MOST} times`, {
    url: request.url,
  });
}

function moved(request: HttpRequest, url: URL): HttpRequest {
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _, ...headers } = request.headers;
  return { ...request, url, headers };
}
