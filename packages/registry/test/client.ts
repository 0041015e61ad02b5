import { setTimeout } from 'node:timers/promises';
import { createMemoryStore, fromBytes, type ContentStore } from '@tbuild/content';
import { encodeImage, encodeIndex, MediaType, type Descriptor } from '@tbuild/oci';
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from '../src/index.ts';

/** Creates a client with a real clock, anonymous by default. */
export function createTestClient(options: Partial<RegistryClientOptions> = {}): RegistryClient {
  return createRegistryClient({
    credentials: async () => undefined,
    insecure: () => false,
    clock: realClock,
    ...options,
  });
}

export const realClock = {
  now: () => Date.now(),
  sleep: async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    await setTimeout(milliseconds, undefined, { signal }).catch(() => signal?.throwIfAborted());
  },
};

/** A clock that jumps forward on each sleep and records the delays. */
export function createFastClock(): typeof realClock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => Date.now(),
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
    },
  };
}

/** Creates an index of two small images in memory, with `size` bytes of layer each. */
export async function makeImage(
  size = 10_000,
): Promise<{ store: ContentStore; index: Descriptor; layers: Descriptor[] }> {
  const store = createMemoryStore();
  const manifests: Descriptor[] = [];
  const layers: Descriptor[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const blob = await store.write(fromBytes(Buffer.alloc(size, `layer for ${architecture} `)));
    const descriptor = { mediaType: MediaType.layer, ...blob };
    const platform = { os: 'linux', architecture };
    const image = encodeImage({
      platform,
      config: { Cmd: ['sh'] },
      layers: [{ descriptor, diffId: blob.digest }],
      history: [],
    });
    for (const document of [image.config, image.manifest])
      await store.write(fromBytes(document.bytes), document.descriptor);
    manifests.push({ ...image.manifest.descriptor, platform });
    layers.push(descriptor);
  }
  const index = encodeIndex(manifests);
  await store.write(fromBytes(index.bytes), index.descriptor);
  return { store, index: index.descriptor, layers };
}
