import { getOrMake } from '@tbuild/concurrency';
import { readStored } from '@tbuild/content';
import type { EngineImage, ImageEngine } from '@tbuild/engine';
import { TbuildError } from '@tbuild/errors';
import type { ImageRequest, ResolvedImage } from '@tbuild/frontend';
import {
  familiarReference,
  formatPlatform,
  formatRepository,
  isIndex,
  parseManifest,
  parseReference,
  samePlatform,
  type Descriptor,
  type Digest,
  type Reference,
} from '@tbuild/oci';
import { touch, writeNote } from '@tbuild/store';
import type { Engines } from './engines.ts';
import { describe, recall, resolveFrom } from './image-documents.ts';
import type { ImageSources } from './image-sources.ts';
import { checkImage, openArchive } from './load-images.ts';

/** An image that an engine has, which is not read yet. */
export interface FoundInEngine {
  readonly engine: ImageEngine;
  readonly image: EngineImage;
}

/** What the engines of this machine have by a name. */
export interface InEngines {
  /** The image for the platform of the build. */
  readonly found?: FoundInEngine;
  /** Images for other platforms. */
  readonly others: readonly FoundInEngine[];
}

/**
 * Finds an image by its plain name in the engines of this machine. An engine that does not answer has none.
 */
export async function findInEngines(
  { reference: text, platform }: ImageRequest,
  engines: Engines,
  signal: AbortSignal,
): Promise<InEngines> {
  const name = familiarReference(parseReference(text));
  const others: FoundInEngine[] = [];
  for (const engine of await engines.local(name)) {
    const patience = AbortSignal.timeout(PATIENCE);
    try {
      const image = await engine.find(name, AbortSignal.any([signal, patience]));
      if (image !== undefined && samePlatform(image.platform, platform)) return { found: { engine, image }, others };
      if (image !== undefined) others.push({ engine, image });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TbuildError) && !patience.aborted) throw error;
    }
  }
  return { others };
}

/** Says which engine has an image for another platform than that of the build. */
export function hintOfOthers(others: readonly FoundInEngine[], { platform }: ImageRequest): string | undefined {
  const [other] = others;
  if (other === undefined) return undefined;
  const there = formatPlatform(other.image.platform);
  return `Pull or load it for ${formatPlatform(platform)} into ${other.engine.name}, which has it for ${there}, or build for ${there}`;
}

/** Milliseconds for an engine that nobody asked for. */
const PATIENCE = 10_000;

/**
 * Finds an image in the engine that the user names.
 * @throws TbuildError NOT_FOUND, and what the engine throws.
 */
export async function findInEngine(
  reference: string,
  engine: ImageEngine,
  signal: AbortSignal,
): Promise<FoundInEngine> {
  const name = /^(?:sha256:)?[0-9a-f]{64}$/.test(reference) ? reference : familiarReference(parseReference(reference));
  const image = await engine.find(name, signal);
  if (image !== undefined) return { engine, image };
  throw new TbuildError('NOT_FOUND', `Image ${JSON.stringify(reference)} is not in ${engine.name}`, {
    hint: 'Pull, load or build it there first',
  });
}

/**
 * Returns whether the registry decides what the image is: it came from there, and the engine has other bytes than the
 * registry. In containerd's store the bytes are those of the registry, so that the ID is the digest there.
 */
export function isFromRegistry({ image }: FoundInEngine, reference: Reference): boolean {
  const repository = formatRepository(reference);
  return image.registryDigests.some((known) => {
    const [name = '', digest] = known.split('@');
    return digest !== image.id && formatRepository(parseReference(name)) === repository;
  });
}

/** Work on an image of an engine. */
export interface TakingImage {
  readonly images: Pick<ImageSources, 'content' | 'store' | 'now' | 'unpackLimits'>;
  /** The images that this build has read or is reading, by ID. */
  readonly reading: Map<string, Promise<Descriptor>>;
  readonly signal: AbortSignal;
}

/**
 * Resolves an image of an engine for a platform. Its layers are read once, with everything else, and kept in the store:
 * while the engine's name has the same ID, the next build reads nothing.
 * @throws TbuildError DIGEST_MISMATCH for an archive with another image, and what the engine throws.
 */
export async function takeFromEngine(
  { engine, image: { id } }: FoundInEngine,
  request: ImageRequest,
  { images, reading, signal }: TakingImage,
): Promise<ResolvedImage> {
  const memo = images.store.resolvedReference(`engine ${id} ${formatPlatform(request.platform)}`);
  const documents = { from: images.content, images, signal };
  const asked = { ...request, source: { kind: 'store' } as const };
  const known = touch(memo, images.now()) ? recall(memo, images) : undefined;
  if (known?.manifest.layers.every(({ digest }) => images.content.use(digest)) === true)
    return describe(asked, known, documents);
  const root = await getOrMake(reading, id, () => readImage({ engine, id }, images, signal));
  const resolved = await resolveFrom(asked, root, documents);
  await checkManifest(resolved.manifest, { images, signal });
  const source = `${engine.name}: ${request.reference}`;
  writeNote(memo, { manifest: resolved.manifest, root: root.digest, source });
  return resolved;
}

async function readImage(
  { engine, id }: { readonly engine: ImageEngine; readonly id: Digest },
  images: Pick<ImageSources, 'content' | 'unpackLimits'>,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { images: archived } = await openArchive(engine.save(id, signal), images, signal);
  const [only, ...others] = archived;
  if (only !== undefined && others.length === 0 && identifies(id, only.target, images)) return only.target;
  throw new TbuildError('DIGEST_MISMATCH', `${engine.name} sent another image than ${id}`);
}

/** Checks the image of a platform. Of an index, an engine may have pulled only that. */
async function checkManifest(
  digest: Digest,
  { images, signal }: Pick<TakingImage, 'images' | 'signal'>,
): Promise<void> {
  const bytes = readStored(images.content, digest);
  if (bytes === undefined) throw new Error(`Manifest ${digest} is missing from the store`);
  await checkImage({ mediaType: parseManifest(bytes).mediaType, digest, size: bytes.length }, images, signal);
}

/** Returns whether an ID is the digest of an image, or that of its configuration. */
function identifies(id: Digest, { digest }: Descriptor, { content }: Pick<ImageSources, 'content'>): boolean {
  if (digest === id) return true;
  const bytes = readStored(content, digest);
  const document = bytes === undefined ? undefined : parseManifest(bytes);
  return document !== undefined && !isIndex(document) && document.config.digest === id;
}
