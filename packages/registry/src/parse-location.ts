import { RegistryError } from './registry-error.ts';

/**
 * Where a server sends on to, relative to where it was asked.
 * @throws RegistryError when that is no address of the web.
 */
export function parseLocation(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new RegistryError('REGISTRY', `Server ${from.host} redirects to ${JSON.stringify(location.slice(0, 200))}`, {
    url: from,
  });
}
