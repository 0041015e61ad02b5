import { writeCache, type WriteCacheOptions } from '@tbuild/cache';
import { parseReference, type Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { BuildRequest } from '../request.ts';
import type { CacheToWrite, WriteOptions } from './write-cache-layout.ts';

/** A destination in a registry. */
export interface CacheTarget {
  readonly repository: Repository;
  readonly target: Reference;
  /** Repositories of the same registry that may have layers of the cache. */
  readonly mountable: readonly string[];
  /** What the images bring. */
  readonly others: NonNullable<WriteCacheOptions['others']>;
}

/** Pushes a cache. Layers that the image has already brought to this registry are mounted. */
export async function pushCache(
  { cache, from }: CacheToWrite,
  { repository, target, mountable, others }: CacheTarget,
  { signal, onProgress }: WriteOptions,
): Promise<void> {
  await writeCache(
    cache,
    { from, to: repository },
    {
      signal,
      onProgress,
      trustManifests: true,
      others,
      async mount({ digest }) {
        for (const name of mountable) if (await repository.mount(digest, name, signal)) return true;
        return false;
      },
      async writeManifest({ bytes, descriptor }) {
        await repository.pushManifest({ bytes, mediaType: descriptor.mediaType }, target.tag ?? 'latest', signal);
      },
    },
  );
}

/** Returns the repositories of the registry that the image was pushed to. */
export function mountableIn(target: Reference, { outputs, tags }: BuildRequest): readonly string[] {
  const isPushed = outputs.some((output) => output.type === 'image' && output.push);
  const names = isPushed ? tags.map(parseReference) : [];
  return names.flatMap(({ registry, repository }) =>
    registry === target.registry && repository !== target.repository ? [repository] : [],
  );
}
