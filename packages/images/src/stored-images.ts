import { readStored } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  formatReference,
  formatRepository,
  hexOf,
  isDigest,
  isIndex,
  parseImageConfig,
  parseManifest,
  parseReference,
  selectPlatform,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  type Reference,
} from '@tbuild/oci';
import type { LocalImages } from './places.ts';

/** An image in the store, with its documents parsed. */
export interface StoredImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** A stored image under one of its names, if it has any. */
export interface ListedImage {
  readonly reference?: Reference;
  /** The stored manifest or index. */
  readonly target: Descriptor;
  /** The image for this machine, or else the first in the index. */
  readonly image: StoredImage;
}

/**
 * Lists all images: one row per name, sorted by name, then unnamed images, newest first. Omits images whose documents
 * cannot be read.
 */
export function listImages(local: LocalImages): readonly ListedImage[] {
  const named = local.refs.list().flatMap((ref) => readable(ref, local));
  const ids = new Set(named.map(({ image }) => image.manifest.config.digest));
  const unnamed = local.refs.unnamed().flatMap(({ target }) => readable({ target }, local));
  return [...named, ...unnamed.filter(({ image }) => !ids.has(image.manifest.config.digest))];
}

/** Reads images, skipping damaged ones so that the others are still listed. */
function readable<T extends { readonly target: Descriptor }>(
  ref: T,
  local: LocalImages,
): readonly (T & { readonly image: StoredImage })[] {
  try {
    return [{ ...ref, image: readImage(ref.target, local) }];
  } catch (error) {
    if (error instanceof TbuildError) return [];
    throw error;
  }
}

/** The image that a name or ID refers to. */
export interface FoundImage {
  /** Empty for an image that is stored without a name. */
  readonly references: readonly Reference[];
  /** The manifest or index that the names point to. */
  readonly target: Descriptor;
  /** The image for this machine. */
  readonly image: StoredImage;
}

/**
 * Finds an image by reference, by repository and digest, or by a prefix of its ID or digest. Whoever looks for several passes a
 * function that lists the images once.
 * @throws TbuildError NOT_FOUND
 */
export function findImage(name: string, local: LocalImages, list = () => listImages(local)): FoundImage {
  const named = namedImage(name, local);
  if (named !== undefined) return named;
  const prefix = name.replace(/^sha256:/, '');
  const images = list();
  const byId = /^[a-f0-9]{4,64}$/.test(prefix)
    ? images.filter(({ image, target }) =>
        [image.manifest.config, target].some(({ digest }) => hexOf(digest).startsWith(prefix)),
      )
    : images.filter(isNamedByDigest(name));
  const [first] = byId;
  if (first !== undefined)
    return { references: byId.flatMap(({ reference }) => reference ?? []), target: first.target, image: first.image };
  const names = images.flatMap(({ reference }) => (reference === undefined ? [] : [formatReference(reference)]));
  const known = names.length > 0 ? names : images.map(({ image }) => image.manifest.config.digest);
  throw new TbuildError('NOT_FOUND', `Image ${JSON.stringify(name)} is not in the store`, {
    hint:
      known.length === 0
        ? 'Build or load one first: the store has no images'
        : `Choose from ${known.slice(0, 10).join(', ')}`,
  });
}

/** `NAME@sha256:…`, as in `RepoDigests`. */
function isNamedByDigest(name: string): (image: ListedImage) => boolean {
  if (!name.includes('@')) return () => false;
  const { digest, ...wanted } = parseReference(name);
  return ({ reference, target }) =>
    target.digest === digest && reference !== undefined && formatRepository(reference) === formatRepository(wanted);
}

function namedImage(name: string, local: LocalImages): FoundImage | undefined {
  if (isDigest(name)) return undefined;
  const reference = parseReference(name);
  const target = local.refs.get(reference);
  return target === undefined ? undefined : { references: [reference], target, image: readImage(target, local) };
}

/**
 * Returns the image of a manifest, or the image of an index for the platform.
 * @throws TbuildError NOT_FOUND for a missing document.
 */
export function readImage(target: Descriptor, local: LocalImages, platform = local.platform): StoredImage {
  const document = parseManifest(required(readStored(local.content, target.digest), target));
  if (isIndex(document)) {
    const own = selectPlatform(document.manifests, (manifest) => manifest.platform, platform) ?? document.manifests[0];
    if (own === undefined) throw new TbuildError('NOT_FOUND', `Index ${target.digest} is empty`);
    return readImage(own, local, platform);
  }
  const config = parseImageConfig(required(readStored(local.content, document.config.digest), document.config));
  return { descriptor: target, manifest: document, config };
}

function required(bytes: Buffer | undefined, { digest }: Descriptor): Buffer {
  if (bytes !== undefined) return bytes;
  throw new TbuildError('NOT_FOUND', `Blob ${digest} is missing from the store`, { hint: 'Build the image again' });
}
