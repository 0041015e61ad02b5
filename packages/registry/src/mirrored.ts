import { TbuildError } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';

/** A mirror of a repository, or the repository itself. */
export interface Place {
  /** State of its registry: an unreachable registry is not tried again, even for other repositories. */
  readonly registry: string;
  readonly repository: Repository;
}

export interface MirroredOptions {
  /** In the order of the attempts. */
  readonly places: readonly [Place, ...Place[]];
  /** The registries that could not be reached. */
  readonly unreachable: Set<string>;
}

/**
 * Reads a repository from the first location that has the requested content; throws the error of the last location.
 * If the bytes of a blob were truncated or wrong, the next read uses the last location. Writes go to the repository
 * itself.
 */
export function mirrored(origin: Repository, { places, unreachable }: MirroredOptions): Repository {
  const last = places.at(-1) ?? places[0];
  const spoilt = new Set<Digest>();

  const firstOf = async <T>(
    candidates: readonly Place[],
    ask: (one: Repository) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> => {
    for (const place of candidates) {
      if (place === last || unreachable.has(place.registry)) continue;
      try {
        return await ask(place.repository);
      } catch (error) {
        if (!(error instanceof TbuildError) || signal?.aborted) throw error;
        if (error instanceof RegistryError && error.status === undefined) unreachable.add(place.registry);
      }
    }
    return ask(last.repository);
  };

  const watched = async function* (source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
    spoilt.add(digest);
    yield* source;
    spoilt.delete(digest);
  };

  return {
    ...origin,
    async has(blob, signal) {
      for (const { repository } of places.filter((place) => place !== last && !unreachable.has(place.registry)))
        if (await repository.has(blob, signal).catch(() => false)) return true;
      return last.repository.has(blob, signal);
    },
    resolve: (tagOrDigest, signal) => firstOf(places, (one) => one.resolve(tagOrDigest, signal), signal),
    digestOf: (tag, signal) => firstOf(places, (one) => one.digestOf(tag, signal), signal),
    readManifest: (target, signal) => firstOf(places, (one) => one.readManifest(target, signal), signal),
    async read(target: Descriptor, signal) {
      const candidates = spoilt.has(target.digest) ? [] : places;
      const bytes = await firstOf(candidates, async (one) => started(await one.read(target, signal)), signal);
      return watched(bytes, target.digest);
    },
    hasSecondPlace: (digest) => spoilt.has(digest),
  };
}

// A download fails with its first bytes or continues, so it starts before a mirror is chosen.
async function started(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
