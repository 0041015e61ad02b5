import { TbuildError } from '@tbuild/errors';
import type { CredentialSource } from './auth/credential.ts';
import { createTokenSource } from './auth/token-source.ts';
import { createEndpoint, type Endpoint } from './endpoint.ts';
import type { Send } from './http-message.ts';
import { basic } from './transport/basic.ts';
import { bearer } from './transport/bearer.ts';
import type { ProxyOptions } from './transport/choose-proxy.ts';
import { compose } from './transport/compose.ts';
import { createHttpClient, type HttpClient, type HttpOptions } from './transport/http.ts';
import type { WaitLimits } from './transport/least-rate.ts';
import { redirect } from './transport/redirect.ts';
import { retry, type Clock } from './transport/retry.ts';
import { userAgent } from './transport/user-agent.ts';

/** The certificates of one registry (PEM): its authorities, and the client's own. */
export interface RegistryCertificates {
  readonly ca?: string;
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface ConnectionOptions extends WaitLimits {
  readonly credentials: CredentialSource;
  /** Returns whether this registry (`host[:port]`) may lack TLS or a trusted certificate. */
  insecure(registry: string): boolean;
  /** Returns additional trusted certificates (PEM). Called only if the known ones do not suffice. */
  ca?(): string;
  /** Returns the certificates of one registry (`host[:port]`). */
  certificates?(registry: string): RegistryCertificates | undefined;
  readonly proxy?: ProxyOptions;
  readonly userAgent?: string;
  readonly clock: Clock;
}

/** The shared state of one registry. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Creates a sender that authenticates for a repository, or for the registry itself. */
  sendFor(repository?: string): Send;
}

export interface Connections {
  /** Ends its sleeps when the connections close. */
  readonly clock: Clock;
  to(registry: string): Connection;
  /** Ends all transfers. */
  close(): Promise<void>;
}

/** Connects to each registry once. */
export function createConnections(options: ConnectionOptions): Connections {
  const ending = new AbortController();
  const clock = endingClock(options.clock, ending.signal);
  const clients = createClients(options);
  const made = new Map<string, Connection>();
  return {
    clock,
    to(registry) {
      const connection = made.get(registry) ?? connect(registry, { options, clock, ...clients.for(registry) });
      made.set(registry, connection);
      return connection;
    },
    async close() {
      ending.abort(new TbuildError('CANCELLED', 'The connections to registries were closed'));
      await Promise.all(clients.all.map((client) => client.close()));
    },
  };
}

function endingClock(clock: Clock, ending: AbortSignal): Clock {
  return {
    now: clock.now,
    sleep: (milliseconds, signal, reason) =>
      clock.sleep(milliseconds, signal === undefined ? ending : AbortSignal.any([signal, ending]), reason),
  };
}

interface ClientPair {
  readonly strict: HttpClient;
  /** Accepts any certificate. */
  readonly lenient: HttpClient;
}

/** Registries share their clients, except those with certificates of their own. */
function createClients(options: ConnectionOptions) {
  const { ca, proxy, idleTimeoutMs, leastRate, clock } = options;
  const all: HttpClient[] = [];
  const create = (trust: Pick<HttpOptions, 'ca' | 'client'>): ClientPair => {
    const common = { ...trust, proxy, idleTimeoutMs, leastRate, now: clock.now };
    const strict = createHttpClient({ ...common, insecure: false });
    const lenient = createHttpClient({ ...common, insecure: true });
    all.push(strict, lenient);
    return { strict, lenient };
  };
  const shared = create({ ca });
  return {
    all,
    for(registry: string): ClientPair {
      const { ca: authority, client } = options.certificates?.(registry) ?? {};
      if (authority === undefined && client === undefined) return shared;
      return create({ ca: () => [ca?.() ?? '', authority ?? ''].join('\n'), client });
    },
  };
}

interface ConnectOptions extends ClientPair {
  readonly options: ConnectionOptions;
  readonly clock: Clock;
}

function connect(registry: string, { options, clock, strict, lenient }: ConnectOptions): Connection {
  const { credentials } = options;
  const agent = userAgent(options.userAgent ?? 'tbuild');
  const probe = compose(lenient.send, agent, redirect());
  const endpoint = createEndpoint(registry, { insecure: options.insecure(registry), probe, clock });
  const { insecure, owns } = endpoint;
  const http = insecure ? lenient : strict;
  const send = compose(http.send, agent, retry(clock), redirect());
  const tokens = createTokenSource({ send, registry, credentials, insecure, now: clock.now });
  return {
    endpoint,
    sendFor: (repository) =>
      compose(
        http.send,
        agent,
        retry(clock),
        bearer({ owns, repository, tokens }),
        basic({ owns, findCredential: () => credentials(registry, repository ?? '') }),
        redirect(),
      ),
  };
}
