import type { CacheContents, CachedStep } from '@tbuild/cache';
import type { Provider } from '@tbuild/content';
import { hasCode, TbuildError } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import { storing } from './storing.ts';
import type { Worker } from './worker.ts';

/** Layers that the store need not have. */
export interface RemoteLayers {
  /** Whether a cache that was imported has the layer; asks nobody. */
  has(digest: Digest): boolean;
  /** The store's own layers, and those of the caches, kept in the store while they are read. */
  readonly provider: Provider;
}

/** The caches that a build may take steps from, as far as they have been read. */
export interface ImportedSteps {
  readonly layers: RemoteLayers;
  /** Takes what a cache holds; of several steps under one key the first stays. */
  add(contents: CacheContents, provider: Provider): void;
  find(key: Digest): CachedStep | undefined;
  /** The archive of a cache mount, by the hash of its id. */
  findMount(name: string): Descriptor | undefined;
}

/** Starts with nothing. Only what steps ask for is ever read from the caches' places. */
export function createImportedSteps({ content }: Pick<Worker, 'content'>): ImportedSteps {
  const steps = new Map<Digest, CachedStep>();
  const mounts = new Map<string, Descriptor>();
  const sources = new Map<Digest, Provider>();
  const remote: Provider = {
    has: async (digest) => sources.has(digest),
    async read(target, signal) {
      const source = sources.get(target.digest);
      if (source === undefined) throw new Error(`No cache has ${target.digest}`);
      try {
        return await source.read(target, signal);
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error;
        const hint = 'Build again without --cache-from';
        throw new TbuildError('NOT_FOUND', `Layer ${target.digest} of an imported cache is gone`, {
          cause: error,
          hint,
        });
      }
    },
  };
  const know = ({ digest }: Descriptor, provider: Provider): void => {
    if (!sources.has(digest)) sources.set(digest, provider);
  };
  return {
    layers: { has: (digest) => sources.has(digest), provider: storing(remote, content) },
    add(contents, provider) {
      for (const step of contents.steps) {
        if (!steps.has(step.record.key)) steps.set(step.record.key, step);
        know(step.layer.descriptor, provider);
      }
      for (const { name, layer } of contents.mounts) {
        if (!mounts.has(name)) mounts.set(name, layer.descriptor);
        know(layer.descriptor, provider);
      }
    },
    find: (key) => steps.get(key),
    findMount: (name) => mounts.get(name),
  };
}

/** Extracts what a cache has for a mount into its empty directory. */
export async function importMount(
  name: string,
  directory: string,
  { findMount, layers }: ImportedSteps,
  { worker, signal }: { readonly worker: Pick<Worker, 'differ'>; readonly signal: AbortSignal },
): Promise<void> {
  const archive = findMount(name);
  if (archive !== undefined) await worker.differ.extract(archive, layers.provider, directory, { lowers: [], signal });
}
