import { TbuildError } from '@tbuild/errors';
import { resultId, stepKey } from '@tbuild/graph';
import { isDigest, parseJson, type Descriptor, type Digest, type Layer } from '@tbuild/oci';
import { encodeOutlines, parseOutlines } from './cached-outlines.ts';
import type { CacheContents, CachedMount, CachedStep } from './cached-step.ts';
import { compare, sortedMembers } from './sorted-members.ts';

/** The configuration of a cache manifest: steps that name layers by their place among the manifest's. */
export const CACHE_CONFIG_TYPE = 'application/vnd.tbuild.cache.config.v1+json';

const VERSION = 1;
/** Excludes foreign layers, which the registry does not have. */
const LAYER_TYPE = /^application\/vnd\.(oci\.image\.layer\.v1|docker\.image\.rootfs\.diff)\.tar([+.](gzip|zstd))?$/;
/** The latest time of an image's documents. Milliseconds. */
const LAST_TIME = Date.UTC(9999, 11, 31);

/**
 * Returns the text of a cache, and the layers that it refers to by index, each once. The order of the steps and mounts has
 * no effect on it.
 */
export function encodeCacheDocument({ steps, mounts, outlines = {} }: CacheContents): {
  readonly text: string;
  readonly layers: readonly Layer[];
} {
  const places = new Map<Digest, number>();
  const layers: Layer[] = [];
  const placeOf = (layer: Layer): number => {
    const known = places.get(layer.diffId);
    if (known !== undefined) return known;
    places.set(layer.diffId, layers.length);
    return layers.push(layer) - 1;
  };
  const document = {
    version: VERSION,
    steps: sortedSteps(steps).map(({ record: { key, result, parent, createdAt }, layer, contents }) => ({
      key,
      result,
      ...(parent === undefined ? {} : { parent }),
      createdAt,
      ...(layer === undefined ? {} : { layer: placeOf(layer) }),
      ...(Object.keys(contents).length === 0 ? {} : { contents: sortedMembers(contents) }),
    })),
    ...(mounts.length === 0
      ? {}
      : {
          mounts: mounts
            .toSorted((a, b) => compare(a.name, b.name))
            .map(({ name, layer }) => ({ name, layer: placeOf(layer) })),
        }),
    ...(Object.keys(outlines).length === 0 ? {} : { outlines: encodeOutlines(outlines) }),
  };
  return { text: JSON.stringify({ ...document, diffIds: layers.map(({ diffId }) => diffId) }), layers };
}

/** Several platforms may share a step. One of its entries has the layer, if any has. */
function sortedSteps(steps: readonly CachedStep[]): readonly CachedStep[] {
  const unique = new Map<string, CachedStep>();
  for (const step of steps) if (unique.get(step.record.key)?.layer === undefined) unique.set(step.record.key, step);
  return [...unique.values()].toSorted((a, b) => compare(a.record.key, b.record.key));
}

/**
 * Parses a cache document. `descriptors` are the layers of its manifest. Steps whose layer is missing there have no layer.
 *
 * @throws TbuildError REGISTRY when the document is not valid.
 */
export function parseCacheDocument(
  text: string,
  descriptors: readonly Descriptor[],
  diffIdsOfImage?: readonly Digest[],
): CacheContents {
  const document = parseObject(text);
  const named = list(document.diffIds).map(digest);
  const layerAt = (place: unknown): Layer | undefined => {
    const diffId = typeof place === 'number' ? named[place] : undefined;
    if (diffId === undefined) throw invalid('a step names no layer');
    const index = diffIdsOfImage === undefined ? Number(place) : diffIdsOfImage.indexOf(diffId);
    const descriptor = descriptors[index];
    return descriptor === undefined || !LAYER_TYPE.test(descriptor.mediaType) ? undefined : { descriptor, diffId };
  };
  return {
    steps: list(document.steps).map((value) => parseStep(object(value), layerAt)),
    mounts: list(document.mounts).flatMap((value) => parseMount(object(value), layerAt)),
    ...(document.outlines === undefined ? {} : { outlines: parseOutlines(document.outlines) }),
  };
}

type Members = Readonly<Record<string, unknown>>;
type LayerAt = (place: unknown) => Layer | undefined;

function parseStep({ key, result, parent, createdAt, layer, contents }: Members, layerAt: LayerAt): CachedStep {
  if (typeof createdAt !== 'number' || !(createdAt >= 0 && createdAt <= LAST_TIME)) throw invalid('a step has no time');
  const found = layer === undefined ? undefined : layerAt(layer);
  const digests = Object.entries(contents === undefined ? {} : object(contents)).map(
    ([name, value]) => [hex(name), digest(value)] as const,
  );
  const base = parent === undefined ? {} : { parent: resultId(digest(parent)) };
  return {
    record: { key: stepKey(digest(key)), result: resultId(digest(result)), ...base, createdAt },
    ...(found === undefined ? {} : { layer: found }),
    contents: Object.fromEntries(digests),
  };
}

function parseMount({ name, layer }: Members, layerAt: LayerAt): CachedMount[] {
  const found = layerAt(layer);
  return found === undefined ? [] : [{ name: hex(name), layer: found }];
}

function parseObject(text: string): Members {
  const document = objectOf(text, 'Cache document');
  if (document.version !== VERSION) throw invalid(`version ${JSON.stringify(document.version)} is not ${VERSION}`);
  return document;
}

/** Parses an object, which messages call `what`. @throws TbuildError REGISTRY */
export function objectOf(text: string, what: string): Members {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new TbuildError('REGISTRY', `${what} is not valid JSON`, { cause });
  }
  return object(value);
}

function object(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('an object is missing');
  return { ...value };
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid('a list is missing');
  return value;
}

function digest(value: unknown): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw invalid(`${JSON.stringify(value)} is not a digest`);
}

/** Checks a name, which becomes a file name. */
function hex(value: unknown): string {
  if (typeof value === 'string' && /^[a-f0-9]{64}$/.test(value)) return value;
  throw invalid(`${JSON.stringify(value)} is not a hash`);
}

function invalid(reason: string): TbuildError {
  return new TbuildError('REGISTRY', `Cache document is not valid: ${reason}`);
}
