import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheContents, CachedStep, ExplanationNote } from '@tbuild/cache';
import { firstOf, type Provider, storing } from '@tbuild/content';
import { type Differ, verifiedLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import { type LayerStore, LostLayer, lostLayerBehind, type RemoteLayers, uncompressing } from '@tbuild/layers';
import type { Descriptor, Digest, Layer, Reference } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import type { TreeOutline } from '@tbuild/snapshot';

/** The location of a cache. */
export interface CachePlace {
  readonly provider: Provider;
  /** Reference of a cache in a registry. */
  readonly reference?: Reference;
}

/** The steps of the imported caches that have been read so far. */
export interface ImportedSteps {
  readonly layers: RemoteLayers;
  /** Adds the contents of a cache. Of several steps with one key, the first with a layer wins. */
  add(contents: CacheContents, place: CachePlace): void;
  find(key: Digest): CachedStep | undefined;
  /** Returns the notes that explain the caches' steps, or nothing if they cannot be read. */
  notes(signal: AbortSignal): Promise<readonly ExplanationNote[]>;
  /** Returns what a cache knows of the tree of a result. */
  outlineOf(result: ResultId): TreeOutline | undefined;
  /** Returns the archive of a cache mount, by the hash of its ID. */
  findMount(name: string): Descriptor | undefined;
}

/** Creates an empty collection. Layers and notes are read only when a step needs them. */
export function createImportedSteps(stored: LayerStore): ImportedSteps {
  const { content } = stored;
  const steps = new Map<Digest, CachedStep>();
  const mounts = new Map<string, Descriptor>();
  const sources = new Map<Digest, LayerSource>();
  const outlines = new Map<string, TreeOutline>();
  const notes: NonNullable<CacheContents['notes']>[] = [];
  /** Marks a layer as lost. The store itself removes a damaged blob; the caches may still have it. */
  const lose = (digest: Digest, cause: TbuildError, isStored = false): LostLayer => {
    if (!isStored) sources.delete(digest);
    return new LostLayer(digest, cause);
  };
  const reading = (provider: Provider): Provider => noticing(provider, content, lose);
  const know = (layer: Layer, place: CachePlace): void => {
    const { digest } = layer.descriptor;
    if (!sources.has(digest)) sources.set(digest, { ...place, layer });
  };
  return {
    layers: {
      has: (digest) => sources.has(digest),
      repositoryOf: (digest) => sources.get(digest)?.reference,
      provider: reading(storing(firstOf([uncompressing(stored), fromCaches(sources, verifiedLayer)]), content)),
      unchecked: reading(firstOf([content, uncompressing(stored), fromCaches(sources)])),
      lose,
    },
    add(contents, place) {
      for (const step of contents.steps) {
        const known = steps.get(step.record.key);
        const isBetter = known?.layer === undefined && step.layer !== undefined;
        if (known === undefined || isBetter) steps.set(step.record.key, step);
        if (step.layer !== undefined) know(step.layer, place);
      }
      if (contents.notes !== undefined) notes.push(contents.notes);
      for (const [result, outline] of Object.entries(contents.outlines ?? {}))
        if (!outlines.has(result)) outlines.set(result, outline);
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
    outlineOf: (result) => outlines.get(result),
    findMount: (name) => mounts.get(name),
  };
}

interface LayerSource extends CachePlace {
  readonly layer: Layer;
}

/** Reads layers from the caches that have them, and checks their bytes. */
function fromCaches(
  sources: ReadonlyMap<Digest, LayerSource>,
  check: (bytes: AsyncIterable<Uint8Array>, layer: Layer) => AsyncIterable<Uint8Array> = (bytes) => bytes,
): Provider {
  return {
    has: async ({ digest }) => sources.has(digest),
    async read(target, signal) {
      const source = sources.get(target.digest);
      if (source === undefined) throw new TbuildError('NOT_FOUND', `Layer ${target.digest} is in no cache`);
      return check(await source.provider.read(target, signal), source.layer);
    },
  };
}

/** Reports blobs that cannot be read, as opposed to other errors such as a full disk or a cancelled build. */
function noticing(
  provider: Provider,
  store: Provider,
  lose: (digest: Digest, cause: TbuildError, isStored: boolean) => LostLayer,
): Provider {
  return {
    has: (blob, signal) => provider.has(blob, signal),
    async read(target, signal) {
      const { digest } = target;
      const isStored = await store.has(target);
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

/** What importing a cache mount uses. */
export interface ImportPorts {
  readonly differ: Differ;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Fills the empty directory of a cache mount from an imported cache. Leaves it empty if the archive is missing. */
export async function importMount(
  { name, directory }: { readonly name: string; readonly directory: string },
  { findMount, layers }: ImportedSteps,
  { differ, progress, signal }: ImportPorts,
): Promise<void> {
  const archive = findMount(name);
  if (archive === undefined) return;
  try {
    await differ.extract(archive, directory, { from: layers.provider, lowers: [], signal });
  } catch (error) {
    const loss = lostLayerBehind(error);
    if (loss === undefined) throw error;
    progress.emit({ type: 'warning', message: `A cache mount starts empty: ${loss.message}` });
    for (const entry of readdirSync(directory)) rmSync(join(directory, entry), { recursive: true });
  }
}
