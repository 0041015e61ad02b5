import { hasCode, TbuildError } from '@tbuild/errors';
import type { Descriptor, EncodedDocument } from '@tbuild/oci';
import type { ContentStore, Provider } from './content-store.ts';
import { readBriefly } from './read-briefly.ts';
import { fromBytes } from './whole-blob.ts';

/** Reads blobs from `store`, or else from `source`, whose verified bytes it stores on the way. */
export function storing(source: Provider, store: ContentStore): Provider {
  return {
    has: async (blob, signal) => (await store.has(blob)) || source.has(blob, signal),
    async read(target, signal) {
      if (await store.has(target)) return store.read(target, signal);
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
    async has(blob, signal) {
      for (const provider of providers) if (await provider.has(blob, signal)) return true;
      return false;
    },
    async read(target, signal) {
      let missing: unknown;
      for (const provider of providers) {
        try {
          if (await provider.has(target, signal)) return await provider.read(target, signal);
        } catch (error) {
          if (!hasCode(error, 'NOT_FOUND')) throw error;
          missing = error;
        }
      }
      throw missing ?? new TbuildError('NOT_FOUND', `No source has ${target.digest}`);
    },
  };
}

/** Reads these documents from memory, and other blobs from `rest`. */
export function withDocuments(
  documents: readonly Pick<EncodedDocument, 'descriptor' | 'bytes'>[],
  rest: Provider,
): Provider {
  const bytesOf = new Map(documents.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  return {
    has: async (blob, signal) => bytesOf.has(blob.digest) || rest.has(blob, signal),
    async read(target, signal) {
      const bytes = bytesOf.get(target.digest);
      return bytes === undefined ? rest.read(target, signal) : fromBytes(bytes);
    },
    async readBriefly(target, signal) {
      const bytes = bytesOf.get(target.digest);
      return bytes === undefined ? readBriefly(rest, target, signal) : fromBytes(bytes);
    },
  };
}
