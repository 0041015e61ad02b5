import { RegistryError } from './registry-error.ts';

/**
 * Parses the target of a redirect, relative to the request's URL.
 * @throws RegistryError if the target is not an HTTP URL.
 */
export function parseLocation(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new RegistryError('REGISTRY', `Server ${from.host} redirects to ${JSON.stringify(location.slice(0, 200))}`, {
    url: from,
  });
}
