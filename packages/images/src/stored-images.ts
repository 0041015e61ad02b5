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

/** An image of the store, its documents read. */
export interface StoredImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** An image of the store under one of its names, if it has any. */
export interface ListedImage {
  readonly reference?: Reference;
  /** The manifest or index that is stored. */
  readonly target: Descriptor;
  /** Of an index the image for this machine, or its first. */
  readonly image: StoredImage;
}

/**
 * All images: one row for each name, sorted by name; then those without a name, the newest first. One whose documents
 * cannot be read is left out.
 */
export function listImages(local: LocalImages): readonly ListedImage[] {
  const named = local.refs.list().flatMap((ref) => readable(ref, local));
  const ids = new Set(named.map(({ image }) => image.manifest.config.digest));
  const unnamed = local.refs.unnamed().flatMap(({ target }) => readable({ target }, local));
  return [...named, ...unnamed.filter(({ image }) => !ids.has(image.manifest.config.digest))];
}

/** One image that is damaged shall not hide the others. */
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

/** What a name or ID leads to. */
export interface FoundImage {
  /** None for an image that is kept without a name. */
  readonly references: readonly Reference[];
  /** The manifest or index that the names stand for. */
  readonly target: Descriptor;
  /** The image for this machine. */
  readonly image: StoredImage;
}

/**
 * The image that a user names: by reference, by repository and digest, or by the beginning of its ID or digest.
 * @throws TbuildError NOT_FOUND
 */
export function findImage(name: string, local: LocalImages): FoundImage {
  const named = namedImage(name, local);
  if (named !== undefined) return named;
  const prefix = name.replace(/^sha256:/, '');
  const images = listImages(local);
  const byId = /^[a-f0-9]{4,64}$/.test(prefix)
    ? images.filter(({ image, target }) =>
        [image.manifest.config, target].some(({ digest }) => hexOf(digest).startsWith(prefix)),
      )
    : images.filter(isNamedByDigest(name));
  const [first] = byId;
  if (first !== undefined)
    return { references: byId.flatMap(({ reference }) => reference ?? []), target: first.target, image: first.image };
  const known = images.map(({ reference, image }) =>
    reference === undefined ? image.manifest.config.digest : formatReference(reference),
  );
  throw new TbuildError('NOT_FOUND', `There is no image ${JSON.stringify(name)} in the store`, {
    hint: known.length === 0 ? 'The store has no images' : `It has ${known.slice(0, 10).join(', ')}`,
  });
}

/** `NAME@sha256:…`, as `RepoDigests` has it. */
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
 * The image that a manifest is, or that an index has for the platform: the machine's own unless given.
 * @throws TbuildError NOT_FOUND when a document is missing.
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
