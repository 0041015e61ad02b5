import { readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { readStatements, type Statement } from '@tbuild/images';
import {
  chooseManifest,
  formatPlatform,
  isIndex,
  isIndexType,
  MOST_INDEXES,
  parseImageConfig,
  parseManifest,
  requireImage,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
  type Platform,
} from '@tbuild/oci';

/** Where an image is read: its root document, and what serves its blobs. */
export interface ImagePlace {
  /** For messages. */
  readonly name: string;
  readonly root: Descriptor;
  readonly content: Provider;
}

/** An image to compare. Its layers are read when they are compared. */
export interface ReadImage extends ImagePlace {
  /** The digest of its configuration. */
  readonly id: Digest;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly statements: readonly Statement[];
}

/**
 * Reads the documents of an image: that of an index for the platform.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, REGISTRY.
 */
export async function readImage(place: ImagePlace, platform: Platform, signal: AbortSignal): Promise<ReadImage> {
  const { content, name } = place;
  let descriptor = place.root;
  let index: Index | undefined;
  for (let depth = 0; depth <= MOST_INDEXES; depth++) {
    const document = parseManifest(await readWhole(content, descriptor, signal), descriptor.mediaType);
    if (isIndex(document)) {
      index = document;
      descriptor = chooseManifest(document, name, platform);
      continue;
    }
    requireImage(document, name);
    const configBytes = await readWhole(content, document.config, signal);
    return {
      ...place,
      id: document.config.digest,
      descriptor,
      manifest: document,
      config: parseImageConfig(configBytes),
      configBytes,
      statements: index === undefined ? [] : await readStatements(descriptor, index.manifests, { content, signal }),
    };
  }
  throw new TbuildError('REGISTRY', `Image ${JSON.stringify(name)} has too many nested indexes`);
}

/**
 * Returns the platforms of the images in an index, each once. Empty for an image without an index.
 * @throws as {@link readImage}.
 */
export async function platformsOf({ root, content }: ImagePlace, signal: AbortSignal): Promise<readonly Platform[]> {
  const found = new Map<string, Platform>();
  const seen = new Set<Digest>();
  const look = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    const document = parseManifest(await readWhole(content, descriptor, signal), descriptor.mediaType);
    if (!isIndex(document)) return;
    for (const { platform, ...entry } of document.manifests) {
      if (isIndexType(entry.mediaType) && depth < MOST_INDEXES) await look(entry, depth + 1);
      else if (platform !== undefined && platform.os !== 'unknown') found.set(formatPlatform(platform), platform);
    }
  };
  await look(root, 0);
  return [...found.values()];
}
