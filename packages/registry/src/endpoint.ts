import { abortable } from '@tbuild/concurrency';
import type { Send } from './http-message.ts';
import { lacksTls, RegistryError } from './registry-error.ts';
import { retryDelay, type Clock } from './transport/retry.ts';

/** The address of a registry. */
export interface Endpoint {
  /**
   * Returns whether a URL belongs to the registry, so that credentials may be sent there, and its challenges are the
   * registry's. A URL without TLS belongs only to a registry that may lack TLS.
   */
  owns(url: URL): boolean;
  /** Whether the registry may lack TLS or a trusted certificate. */
  readonly insecure: boolean;
  /** Returns the root of its URLs, which may take a request. */
  base(signal?: AbortSignal): Promise<URL>;
}

const DOCKER_HUB = 'registry-1.docker.io';
/** The number of attempts for a registry that answers in no scheme. */
const ROUNDS = 3;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

export interface EndpointOptions {
  readonly insecure: boolean;
  /** Sends a request once, so that a wrong scheme fails quickly. */
  readonly probe: Send;
  readonly clock: Clock;
}

/**
 * Registries use TLS, except those on a loopback address and those that `insecure` names, which are probed. On a
 * loopback address with a port, HTTP comes first: such a registry is most likely a local one without TLS.
 */
export function createEndpoint(registry: string, { insecure, probe, clock }: EndpointOptions): Endpoint {
  const host = registry === 'docker.io' ? DOCKER_HUB : registry;
  const isLoopback = LOOPBACK.test(host);
  // URL removes the default port of the scheme.
  const maySkipTls = insecure || isLoopback;
  const owns = (url: URL): boolean =>
    (maySkipTls || url.protocol === 'https:') && new URL(`${url.protocol}//${host}/`).host === url.host;
  if (!maySkipTls) return { owns, insecure: false, base: async () => new URL(`https://${host}/`) };
  const schemes = isLoopback && /:\d+$/.test(host) ? ['http', 'https'] : ['https', 'http'];
  let found: Promise<URL> | undefined;
  const find = (): Promise<URL> =>
    (found ??= findScheme(host, schemes, { probe, clock }).catch((error) => {
      found = undefined;
      throw error;
    }));
  return { owns, insecure: true, base: (signal) => abortable(find(), signal) };
}

async function findScheme(
  host: string,
  schemes: readonly string[],
  { probe, clock }: Pick<EndpointOptions, 'probe' | 'clock'>,
): Promise<URL> {
  for (let round = 1; ; round += 1) {
    const failures: unknown[] = [];
    for (const scheme of schemes) {
      try {
        const base = new URL(`${scheme}://${host}/`);
        if (await answers(base, probe)) return base;
      } catch (error) {
        failures.push(error);
      }
    }
    // A server without TLS speaks HTTP, where something else went wrong.
    const causes = failures.filter((error) => !lacksTls(error));
    const lasting = causes.find((error) => !(error instanceof RegistryError && error.transient));
    if (lasting !== undefined || causes.length === 0 || round === ROUNDS)
      throw lasting ?? causes.at(-1) ?? failures.at(-1);
    await clock.sleep(retryDelay(round));
  }
}

/** Returns whether the server speaks this scheme. */
async function answers(base: URL, probe: Send): Promise<boolean> {
  const response = await probe({ method: 'GET', url: new URL('/v2/', base), access: 'pull', headers: {} });
  await response.discard();
  // Servers answer this to plain HTTP on a TLS port.
  return !(base.protocol === 'http:' && response.status === 400);
}
