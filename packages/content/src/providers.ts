import { hasCode, TbuildError } from '@tbuild/errors';
import type { Descriptor } from '@tbuild/oci';
import type { ContentStore, Provider } from './content-store.ts';

/** Reads blobs from `store`, or else from `source`, whose verified bytes it stores on the way. */
export function storing(source: Provider, store: ContentStore): Provider {
  return {
    has: async (digest, mediaType, size, signal) =>
      (await store.has(digest, mediaType, size)) || source.has(digest, mediaType, size, signal),
    async read(target, signal) {
      if (await store.has(target.digest, target.mediaType, target.size)) return store.read(target, signal);
      return keep(await source.read(target, signal), target, store);
    },
    hasSecondPlace: (digest) => source.hasSecondPlace?.(digest) === true,
  };
}

async function* keep(
  bytes: AsyncIterable<Uint8Array>,
  target: Descriptor,
  store: ContentStore,
): AsyncGenerator<Uint8Array> {
  using writer = store.createWriter(target.digest);
  for await (const chunk of bytes) {
    writer.write(chunk);
    yield chunk;
  }
  writer.commit(target.digest);
}

/** Reads a blob from the first provider that has it. */
export function firstOf(providers: readonly Provider[]): Provider {
  return {
    async has(digest, mediaType, size, signal) {
      for (const provider of providers) if (await provider.has(digest, mediaType, size, signal)) return true;
      return false;
    },
    async read(target, signal) {
      let missing: unknown;
      for (const provider of providers) {
        try {
          if (await provider.has(target.digest, target.mediaType, target.size, signal))
            return await provider.read(target, signal);
        } catch (error) {
          if (!hasCode(error, 'NOT_FOUND')) throw error;
          missing = error;
        }
      }
      throw missing ?? new TbuildError('NOT_FOUND', `No source has ${target.digest}`);
    },
  };
}
