import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheContents, CachedStep, ExplanationNote } from '@tbuild/cache';
import { firstOf, type Provider, storing } from '@tbuild/content';
import { verifiedLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { LostLayer, lostLayerBehind, type RemoteLayers, uncompressing } from '@tbuild/layers';
import type { Descriptor, Digest, Layer, Reference } from '@tbuild/oci';
import type { BuildEnvironment } from '../build-run.ts';
import type { Services } from '../services.ts';

/** Where a cache is. */
export interface CachePlace {
  readonly provider: Provider;
  /** Its name in a registry. */
  readonly reference?: Reference;
}

/** The caches that a build may take steps from, as far as they have been read. */
export interface ImportedSteps {
  readonly layers: RemoteLayers;
  /** Takes what a cache holds; of several steps under one key the first stays that has a layer. */
  add(contents: CacheContents, place: CachePlace): void;
  find(key: Digest): CachedStep | undefined;
  /** What explains the steps of the caches; nothing where that cannot be read. */
  notes(signal: AbortSignal): Promise<readonly ExplanationNote[]>;
  /** The archive of a cache mount, by the hash of its id. */
  findMount(name: string): Descriptor | undefined;
}

/** Starts with nothing. Only what steps ask for is ever read from the caches' places. */
export function createImportedSteps(services: Pick<Services, 'store' | 'content'>): ImportedSteps {
  const { content } = services;
  const steps = new Map<Digest, CachedStep>();
  const mounts = new Map<string, Descriptor>();
  const sources = new Map<Digest, CachePlace & { readonly layer: Layer }>();
  const notes: NonNullable<CacheContents['notes']>[] = [];
  const remote: Provider = {
    has: async (digest) => sources.has(digest),
    async read(target, signal) {
      const source = sources.get(target.digest);
      if (source === undefined) throw new TbuildError('NOT_FOUND', `No cache has layer ${target.digest}`);
      return verifiedLayer(await source.provider.read(target, signal), source.layer);
    },
  };
  /** What the store has is removed by the store when it is damaged; then the caches may still have it. */
  const lose = (digest: Digest, cause: TbuildError, isStored: boolean): LostLayer => {
    if (!isStored) sources.delete(digest);
    return new LostLayer(digest, cause);
  };
  const know = (layer: Layer, place: CachePlace): void => {
    const { digest } = layer.descriptor;
    if (!sources.has(digest)) sources.set(digest, { ...place, layer });
  };
  return {
    layers: {
      has: (digest) => sources.has(digest),
      repositoryOf: (digest) => sources.get(digest)?.reference,
      provider: noticing(storing(firstOf([uncompressing(services), remote]), content), content, lose),
    },
    add(contents, place) {
      for (const step of contents.steps) {
        const known = steps.get(step.record.key);
        const isBetter = known?.layer === undefined && step.layer !== undefined;
        if (known === undefined || isBetter) steps.set(step.record.key, step);
        if (step.layer !== undefined) know(step.layer, place);
      }
      if (contents.notes !== undefined) notes.push(contents.notes);
      for (const { name, layer } of contents.mounts) {
        if (!mounts.has(name)) mounts.set(name, layer.descriptor);
        know(layer, place);
      }
    },
    async notes(signal) {
      const read = await Promise.allSettled(notes.map((readNotes) => readNotes(signal)));
      return read.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    },
    find: (key) => steps.get(key),
    findMount: (name) => mounts.get(name),
  };
}

/** Tells what cannot be read from what goes wrong otherwise: a full disk, a build that is cancelled. */
function noticing(
  provider: Provider,
  store: Provider,
  lose: (digest: Digest, cause: TbuildError, isStored: boolean) => LostLayer,
): Provider {
  return {
    has: (digest, mediaType, size, signal) => provider.has(digest, mediaType, size, signal),
    async read(target, signal) {
      const { digest, mediaType, size } = target;
      const isStored = await store.has(digest, mediaType, size);
      const lossOf = (error: unknown): unknown =>
        error instanceof TbuildError && UNREADABLE.has(error.code) && signal?.aborted !== true
          ? lose(digest, error, isStored)
          : error;
      try {
        return rethrowing(await provider.read(target, signal), lossOf);
      } catch (error) {
        throw lossOf(error);
      }
    },
  };
}

const UNREADABLE: ReadonlySet<TbuildError['code']> = new Set([
  'NOT_FOUND',
  'DIGEST_MISMATCH',
  'REGISTRY',
  'UNAUTHORIZED',
]);

async function* rethrowing(
  bytes: AsyncIterable<Uint8Array>,
  lossOf: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw lossOf(error);
  }
}

/** Extracts what a cache has for a mount into its empty directory; what is gone leaves it empty. */
export async function importMount(
  name: string,
  directory: string,
  { findMount, layers }: ImportedSteps,
  { services, progress, signal }: Pick<BuildEnvironment, 'services' | 'progress' | 'signal'>,
): Promise<void> {
  const archive = findMount(name);
  if (archive === undefined) return;
  try {
    await services.differ.extract(archive, layers.provider, directory, { lowers: [], signal });
  } catch (error) {
    const loss = lostLayerBehind(error);
    if (loss === undefined) throw error;
    progress.emit({ type: 'warning', message: `A cache mount begins empty: ${loss.message}` });
    for (const entry of readdirSync(directory)) rmSync(join(directory, entry), { recursive: true });
  }
}
