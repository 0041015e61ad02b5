import { dockerAddress, DOCKER_SOCKET } from './docker-context.ts';
import { member, readDockerConfig } from './docker-json.ts';
import type { Environment } from './environment.ts';

/** The members of an entry of `proxies`, and the build arguments that they are. */
const ARGUMENTS = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
} as const;

/**
 * Returns the proxies of Docker's `config.json` as build arguments, as buildx does: those of the user's daemon by its
 * address, else the default ones. A build argument that was given in any case takes the place of a proxy.
 */
export function proxyArgs(
  given: Readonly<Record<string, string>>,
  env: Pick<Environment, 'variables'>,
): Readonly<Record<string, string>> {
  const proxies = member(readDockerConfig(env.variables), 'proxies');
  if (proxies === undefined) return {};
  const { host = DOCKER_SOCKET } = dockerAddress(undefined, env) ?? {};
  const chosen = member(proxies, host) ?? member(proxies, 'default');
  const names = new Set(Object.keys(given).map((name) => name.toUpperCase()));
  const entries = Object.entries(ARGUMENTS).flatMap(([key, name]): [string, string][] => {
    const value = member(chosen, key);
    return typeof value === 'string' && value !== '' && !names.has(name) ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}
