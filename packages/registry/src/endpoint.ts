import type { Send } from './http-message.ts';

/** Where requests for a registry go. */
export interface Endpoint {
  /** Whether a URL is the registry's own, so that credentials may be sent there. */
  owns(url: URL): boolean;
  /** Whether it need not be encrypted nor certified. */
  readonly insecure: boolean;
  /** The root of its URLs; finding out may need a request. */
  base(): Promise<URL>;
}

const DOCKER_HUB = 'registry-1.docker.io';
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

/**
 * Registries speak TLS, except those on a loopback address and those that `insecure` names: these are
 * asked which it is. A port on a loopback address is most likely a registry started by hand without TLS.
 */
export function createEndpoint(registry: string, insecure: boolean, probe: Send): Endpoint {
  const host = registry === 'docker.io' ? DOCKER_HUB : registry;
  const isLoopback = LOOPBACK.test(host);
  // Through URL, which leaves out the port that a scheme implies.
  const owns = (url: URL): boolean => new URL(`${url.protocol}//${host}/`).host === url.host;
  if (!insecure && !isLoopback) return { owns, insecure: false, base: async () => new URL(`https://${host}/`) };
  const schemes = isLoopback && /:\d+$/.test(host) ? ['http', 'https'] : ['https', 'http'];
  let found: Promise<URL> | undefined;
  const base = (): Promise<URL> =>
    (found ??= findScheme(host, schemes, probe).catch((error) => {
      found = undefined;
      throw error;
    }));
  return { owns, insecure: true, base };
}

async function findScheme(host: string, schemes: readonly string[], probe: Send): Promise<URL> {
  const failures: unknown[] = [];
  for (const scheme of schemes) {
    const base = new URL(`${scheme}://${host}/`);
    try {
      const response = await probe({ method: 'GET', url: new URL('/v2/', base), access: 'pull', headers: {} });
      await response.discard();
      // How servers answer a request in clear on a port where they speak TLS.
      if (response.status !== 400) return base;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0] ?? new Error(`No scheme for ${host}`);
}
