import { TbuildError } from '@tbuild/errors';
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import { isRecord } from './is-record.ts';
import { isIndexType, isManifestType, MediaType } from './media-types.ts';
import { parseJson } from './parse-json.ts';

/** "OCI Image Manifest Specification"; Docker's version 2 schema 2 has the same shape. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** "OCI Image Index Specification"; Docker's manifest list has the same shape. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Parses a manifest or index from the network or disk.
 * @throws TbuildError UNSUPPORTED for Docker schema 1, REGISTRY for any other document.
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest | Index {
  const document = parseObject(bytes);
  const annotations = annotationsIn(document);
  const type = typeof document.mediaType === 'string' ? document.mediaType : (mediaType ?? guessType(document));
  if (document.schemaVersion === 1 || type === MediaType.dockerSchema1 || type === MediaType.dockerSchema1Signed) {
    throw new TbuildError('UNSUPPORTED', 'Image is in Docker schema 1, which is no longer supported', {
      hint: 'Push the image again with a current Docker, Podman or skopeo',
    });
  }
  if (isIndexType(type) && Array.isArray(document.manifests)) {
    return {
      ...document,
      ...annotations,
      schemaVersion: 2,
      mediaType: type,
      manifests: document.manifests.map(parseDescriptor),
    };
  }
  // Go encodes no layers as null.
  const layers: unknown = document.layers ?? (isRecord(document.config) ? [] : undefined);
  if (isManifestType(type) && Array.isArray(layers)) {
    const config = parseDescriptor(document.config);
    return {
      ...document,
      ...annotations,
      schemaVersion: 2,
      mediaType: type,
      config,
      layers: layers.map(parseDescriptor),
    };
  }
  throw new TbuildError(
    'REGISTRY',
    `Document of type ${JSON.stringify(type)} is neither an image manifest nor an index`,
  );
}

export function isIndex(document: Manifest | Index): document is Index {
  return isIndexType(document.mediaType);
}

/** Returns the descriptors in a manifest or index: config and layers, or manifests. */
export function childrenOf(document: Manifest | Index): readonly Descriptor[] {
  return isIndex(document) ? document.manifests : [document.config, ...document.layers];
}

/** @throws TbuildError REGISTRY if `value` is not a descriptor with a SHA-256 digest. */
export function parseDescriptor(value: unknown): Descriptor {
  if (isRecord(value)) {
    const { mediaType, digest, size } = value;
    const valid = typeof mediaType === 'string' && typeof digest === 'string' && isDigest(digest);
    if (valid && typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) {
      const given = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
      return { ...given, ...annotationsIn(value), mediaType, digest, size };
    }
  }
  throw new TbuildError(
    'REGISTRY',
    `Descriptor ${JSON.stringify(value)?.slice(0, 200)} has no valid media type, digest and size`,
  );
}

/** Reads annotations as Go does, to which null is an empty text. @throws TbuildError REGISTRY for another value. */
function annotationsIn({ annotations }: Record<string, unknown>): Pick<Descriptor, 'annotations'> {
  if (annotations === undefined || annotations === null) return {};
  if (!isRecord(annotations))
    throw new TbuildError('REGISTRY', `Annotations are ${shown(annotations)}, expected a JSON object`);
  const texts = Object.entries(annotations).map(([name, value]) => {
    if (typeof value === 'string' || value === null) return [name, value ?? ''] as const;
    throw new TbuildError('REGISTRY', `Annotation ${JSON.stringify(name)} is ${shown(value)}, expected a text`);
  });
  return { annotations: Object.fromEntries(texts) };
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 200);
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Image manifest is not valid JSON', { cause });
  }
  if (!isRecord(value)) throw new TbuildError('REGISTRY', 'Image manifest is not a JSON object');
  return value;
}

function guessType(document: Record<string, unknown>): string {
  return Array.isArray(document.manifests) ? MediaType.index : MediaType.manifest;
}
