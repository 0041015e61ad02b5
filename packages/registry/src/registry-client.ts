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

/** What is kept for one registry (PEM): who may have signed its certificate, and what this side shows of itself. */
export interface RegistryCertificates {
  readonly ca?: string;
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface RegistryClientOptions {
  readonly credentials: CredentialSource;
  /** Whether this registry (`host[:port]`) may be spoken to without TLS or with any certificate. */
  insecure(registry: string): boolean;
  /** Certificates (PEM) that are trusted beside the known ones; asked for when those do not do. */
  ca?(): string;
  /** Those of one registry (`host[:port]`). */
  certificates?(registry: string): RegistryCertificates | undefined;
  readonly proxy?: ProxyOptions;
  /**
   * Where the images of a repository are read, in order: full names. Only under its own unless given.
   * @throws TbuildError when its images must not be used.
   */
  places?(reference: Reference): readonly string[];
  readonly userAgent?: string;
  /** How long a registry may be silent, in milliseconds. */
  readonly patience?: number;
  readonly clock: Clock;
}

/**
 * The way to all registries: connections, tokens and what was learnt about each are shared. Disposing of it ends what
 * is still under way.
 */
export interface RegistryClient extends AsyncDisposable {
  /**
   * The repository that a reference names; asks nobody yet. With `push` everything is asked for with the
   * right to push, which saves a second token.
   */
  openRepository(reference: Reference, access?: Access): Repository;
  /**
   * Asks the registry whether it takes the credential that there is for it.
   * @throws RegistryError UNAUTHORIZED when it does not.
   */
  authenticate(registry: string, signal?: AbortSignal): Promise<void>;
}

interface Connection {
  readonly endpoint: Endpoint;
  readonly tokens: TokenSource;
  readonly http: HttpClient;
}

/** Whoever creates the client disposes of it. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { ca, proxy, credentials, patience } = options;
  const ending = new AbortController();
  const clock: Clock = {
    now: options.clock.now,
    sleep(milliseconds, signal, reason) {
      const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
      return options.clock.sleep(milliseconds, either, reason);
    },
  };
  const strict = createHttpClient({ ca, proxy, patience, insecure: false });
  const lenient = createHttpClient({ ca, proxy, patience, insecure: true });
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
    const trust = { ca: all, client, proxy, patience };
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
