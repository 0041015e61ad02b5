import { getOrMake } from '@tbuild/concurrency';
import { type Digest, formatRepository, parseReference, type Reference } from '@tbuild/oci';
import { type Connection, type ConnectionOptions, createConnections } from './connections.ts';
import { type Access, type HttpRequest, isWebPage } from './http-message.ts';
import { mirrored } from './mirrored.ts';
import { loginRefused, OTHER_SERVER, refusal, RegistryError } from './registry-error.ts';
import { createRemoteRepository } from './remote-repository.ts';
import type { Repository } from './repository.ts';

export interface RegistryClientOptions extends ConnectionOptions {
  /**
   * Returns the full names from which a repository is read, in order. By default only its own.
   * @throws TbuildError if its images must not be used.
   */
  places?(reference: Reference): readonly string[];
}

/**
 * Opens repositories of all registries. Shares connections, tokens and what is known about each registry. Disposing of
 * it ends all transfers.
 */
export interface RegistryClient extends AsyncDisposable {
  /**
   * Opens the repository of a reference, without a request. With `push` or `delete`, every token allows that, which saves
   * a second token.
   */
  openRepository(reference: Reference, access?: Access): Repository;
  /**
   * Checks whether the registry accepts its credential.
   * @throws RegistryError UNAUTHORIZED if it does not, REGISTRY for another server than a registry.
   */
  authenticate(registry: string, signal?: AbortSignal): Promise<void>;
}

/** The caller disposes of the client. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const connections = createConnections(options);
  const unreachable = new Set<string>();
  const blobsOf = new Map<string, Set<Digest>>();
  const open = (reference: Reference, access: Access): Repository => {
    const { endpoint, sendFor } = connections.to(reference.registry);
    const name = formatRepository(reference);
    return createRemoteRepository({
      name,
      path: reference.repository,
      readAccess: access,
      clock: connections.clock,
      send: sendFor(reference.repository),
      base: endpoint.base,
      documents: new Map(),
      blobs: getOrMake(blobsOf, name, () => new Set()),
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
      const isPlain = first === undefined || access !== 'pull' || (first.repository === origin && rest.length === 0);
      return isPlain ? origin : mirrored(origin, { places: [first, ...rest], unreachable });
    },
    authenticate: (registry, signal) => authenticate(registry, connections.to(registry), signal),
    [Symbol.asyncDispose]: () => connections.close(),
  };
}

async function authenticate(registry: string, { endpoint, sendFor }: Connection, signal?: AbortSignal): Promise<void> {
  const request: HttpRequest = {
    method: 'GET',
    url: new URL('/v2/', await endpoint.base(signal)),
    access: 'pull',
    headers: {},
    signal,
  };
  try {
    const response = await sendFor()(request);
    if (response.status !== 200)
      throw await refusal(request, response, { repository: `registry ${registry}`, item: `registry ${registry}` });
    await response.discard();
    if (isWebPage(response))
      throw new RegistryError('REGISTRY', `Server ${registry} is not a registry: it answers with a web page`, {
        url: request.url,
        hint: OTHER_SERVER,
      });
  } catch (error) {
    // It is about the user and the password, not about a repository.
    throw error instanceof RegistryError && error.code === 'UNAUTHORIZED' ? loginRefused(registry, error) : error;
  }
}
