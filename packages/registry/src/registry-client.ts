import { TbuildError } from '@tbuild/errors';
import { formatRepository, parseReference, type Reference } from '@tbuild/oci';
import type { CredentialSource } from './credential.ts';
import { createEndpoint, type Endpoint } from './endpoint.ts';
import type { Access, HttpRequest, Middleware } from './http-message.ts';
import { mirrored } from './mirrored.ts';
import { refusal } from './registry-error.ts';
import { createRemoteRepository } from './remote-repository.ts';
import type { Repository } from './repository.ts';
import { createTokenSource, type TokenSource } from './token-source.ts';
import { basic } from './transport/basic.ts';
import { bearer } from './transport/bearer.ts';
import { compose } from './transport/compose.ts';
import type { ProxyOptions } from './transport/choose-proxy.ts';
import { createHttpClient, type HttpClient } from './transport/http.ts';
import { redirect } from './transport/redirect.ts';
import { retry, type Clock } from './transport/retry.ts';
import { userAgent } from './transport/user-agent.ts';

/** The certificates of one registry (PEM): its authorities, and the client's own. */
export interface RegistryCertificates {
  readonly ca?: string;
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface RegistryClientOptions {
  readonly credentials: CredentialSource;
  /** Returns whether this registry (`host[:port]`) may lack TLS or a trusted certificate. */
  insecure(registry: string): boolean;
  /** Returns additional trusted certificates (PEM). Called only if the known ones do not suffice. */
  ca?(): string;
  /** Returns the certificates of one registry (`host[:port]`). */
  certificates?(registry: string): RegistryCertificates | undefined;
  readonly proxy?: ProxyOptions;
  /**
   * Returns the full names from which a repository is read, in order. By default only its own.
   * @throws TbuildError if its images must not be used.
   */
  places?(reference: Reference): readonly string[];
  readonly userAgent?: string;
  /** The time without data after which a registry counts as silent, in milliseconds. */
  readonly idleTimeoutMs?: number;
  readonly clock: Clock;
}

/**
 * Opens repositories of all registries. Shares connections, tokens and what is known about each registry. Disposing of
 * it ends all transfers.
 */
export interface RegistryClient extends AsyncDisposable {
  /**
   * Opens the repository of a reference, without a request. With `push`, every token allows pushes, which saves a second
   * token.
   */
  openRepository(reference: Reference, access?: Access): Repository;
  /**
   * Checks whether the registry accepts its credential.
   * @throws RegistryError UNAUTHORIZED if it does not.
   */
  authenticate(registry: string, signal?: AbortSignal): Promise<void>;
}

interface Connection {
  readonly endpoint: Endpoint;
  readonly tokens: TokenSource;
  readonly http: HttpClient;
}

/** The caller disposes of the client. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { ca, proxy, credentials, idleTimeoutMs } = options;
  const ending = new AbortController();
  const clock: Clock = {
    now: options.clock.now,
    sleep(milliseconds, signal, reason) {
      const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
      return options.clock.sleep(milliseconds, either, reason);
    },
  };
  const strict = createHttpClient({ ca, proxy, idleTimeoutMs, insecure: false });
  const lenient = createHttpClient({ ca, proxy, idleTimeoutMs, insecure: true });
  const agent = userAgent(options.userAgent ?? 'tbuild');
  const common: readonly Middleware[] = [agent, retry(clock)];
  const connections = new Map<string, Connection>();
  const unreachable = new Set<string>();

  const shared = { strict, lenient };
  const own: HttpClient[] = [];
  const clientsFor = (registry: string): typeof shared => {
    const { ca: authority, client } = options.certificates?.(registry) ?? {};
    if (authority === undefined && client === undefined) return shared;
    const all = (): string => [ca?.() ?? '', authority ?? ''].join('\n');
    const trust = { ca: all, client, proxy, idleTimeoutMs };
    const made = {
      strict: createHttpClient({ ...trust, insecure: false }),
      lenient: createHttpClient({ ...trust, insecure: true }),
    };
    own.push(made.strict, made.lenient);
    return made;
  };

  const connect = (registry: string): Connection => {
    const clients = clientsFor(registry);
    const insecure = options.insecure(registry);
    const probe = compose(clients.lenient.send, agent, redirect());
    const endpoint = createEndpoint(registry, { insecure, probe, clock });
    const http = endpoint.insecure ? clients.lenient : clients.strict;
    const send = compose(http.send, ...common, redirect());
    const tokens = createTokenSource({ send, registry, credentials, insecure: endpoint.insecure, now: clock.now });
    return { endpoint, tokens, http };
  };

  const connectionOf = (registry: string): Connection => {
    const connection = connections.get(registry) ?? connect(registry);
    connections.set(registry, connection);
    return connection;
  };

  const open = (reference: Reference, access: Access): Repository => {
    const { registry, repository } = reference;
    const { endpoint, tokens, http } = connectionOf(registry);
    const { owns } = endpoint;
    const findCredential = () => credentials(registry, repository);
    const send = compose(
      http.send,
      ...common,
      bearer({ owns, repository, tokens }),
      basic({ owns, findCredential }),
      redirect(),
    );
    const name = formatRepository(reference);
    return createRemoteRepository({
      name,
      path: repository,
      readAccess: access,
      clock,
      send,
      base: endpoint.base,
      documents: new Map(),
    });
  };

  return {
    openRepository(reference, access = 'pull') {
      const own = formatRepository(reference);
      const origin = open(reference, access);
      const names = options.places?.(reference) ?? [own];
      const [first, ...rest] = names.map((name) => {
        const at = parseReference(name);
        return { registry: at.registry, repository: name === own ? origin : open(at, 'pull') };
      });
      const isPlain = first === undefined || access === 'push' || (first.repository === origin && rest.length === 0);
      return isPlain ? origin : mirrored(origin, { places: [first, ...rest], unreachable });
    },
    async authenticate(registry, signal) {
      const { endpoint, tokens, http } = connectionOf(registry);
      const { owns } = endpoint;
      const send = compose(
        http.send,
        ...common,
        bearer({ owns, tokens }),
        basic({ owns, findCredential: () => credentials(registry, '') }),
        redirect(),
      );
      const request: HttpRequest = {
        method: 'GET',
        url: new URL('/v2/', await endpoint.base(signal)),
        access: 'pull',
        headers: {},
        signal,
      };
      const response = await send(request);
      if (response.status !== 200)
        throw await refusal(request, response, { repository: `registry ${registry}`, item: `registry ${registry}` });
      await response.discard();
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new TbuildError('CANCELLED', 'The connections to registries were closed'));
      await Promise.all([strict, lenient, ...own].map((one) => one.close()));
    },
  };
}
