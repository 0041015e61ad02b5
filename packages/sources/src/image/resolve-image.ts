import { readFileSync } from 'node:fs';
import { fromBytes, openLayout, readWhole, type Provider, useStored } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import type { ImageRequest, ResolvedImage, ResolveImage } from '@tbuild/frontend';
import type { ImageSource } from '@tbuild/graph';
import {
  chooseManifest,
  formatPlatform,
  formatReference,
  isIndex,
  MOST_INDEXES,
  parseDescriptor,
  parseImageConfig,
  parseManifest,
  parseReference,
  requireImage,
  type Descriptor,
  type Index,
  type Manifest,
  type Platform,
} from '@tbuild/oci';
import { touch, writeAtomically } from '@tbuild/store';
import type { ImageSources } from './image-sources.ts';

export interface ResolveOptions {
  /** Ask the registry again for images that were resolved before. */
  readonly pull: boolean;
  /** Wraps a lookup that is not answered from the store, to show it as a step. */
  track<T>(reference: string, work: () => Promise<T>): Promise<T>;
}

/**
 * Creates the resolver of base images. Images in the store come first. A tag keeps the manifest that it resolved to
 * first, until `pull`. Manifests and configurations are stored, so a second build needs no network.
 */
export function createResolveImage(images: ImageSources, options: ResolveOptions): ResolveImage {
  return async (request, signal) => {
    const { source } = request;
    if (source.kind === 'layout') return resolveInLayout(request, source.path, { images, signal });
    const reference = parseReference(request.reference);
    const own = options.pull ? undefined : images.refs.get(reference);
    if (own !== undefined) {
      const place = { from: images.content, images, signal };
      return resolveFrom({ ...request, source: { kind: 'store' } }, own, place);
    }
    const memo = images.store.resolvedReference(`${formatReference(reference)} ${formatPlatform(request.platform)}`);
    const known = options.pull || !touch(memo, images.now()) ? undefined : recall(memo, images);
    if (known !== undefined) return describe(request, known, { from: images.content, images, signal });
    return options.track(formatReference(reference), async () => {
      const repository = await images.openRepository(reference);
      const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
      const resolved = await resolveFrom(request, root, { from: repository, images, signal });
      writeAtomically(memo, JSON.stringify({ manifest: resolved.manifest, source: formatReference(reference) }));
      return resolved;
    });
  };
}

/** Where the documents of an image are read, and where they are kept. */
interface Documents {
  readonly from: Provider;
  readonly images: Pick<ImageSources, 'content'>;
  readonly signal: AbortSignal;
}

async function resolveInLayout(
  request: ImageRequest,
  path: string,
  kept: Pick<Documents, 'images' | 'signal'>,
): Promise<ResolvedImage> {
  const layout = await openLayout(path);
  const root = await layout.resolve(request.reference === '' ? undefined : request.reference);
  return resolveFrom(request, root, { from: layout.provider, ...kept });
}

/** Follows an index or manifest to the image for the platform, and stores the documents on the way. */
async function resolveFrom(request: ImageRequest, root: Descriptor, documents: Documents): Promise<ResolvedImage> {
  let descriptor = root;
  for (let depth = 0; depth <= MOST_INDEXES; depth++) {
    const document = await fetchDocument(descriptor, documents);
    if (!isIndex(document)) return describe(request, { descriptor, manifest: document }, documents);
    descriptor = chooseManifest(document, nameOf(request), request.platform);
  }
  throw new TbuildError('REGISTRY', `Image ${JSON.stringify(request.reference)} has too many nested indexes`);
}

async function fetchDocument(descriptor: Descriptor, documents: Documents): Promise<Manifest | Index> {
  return parseManifest(await keepWhole(descriptor, documents), descriptor.mediaType);
}

/** Returns the name of an image for messages. */
function nameOf({ reference, source }: ImageRequest): string {
  return source.kind === 'layout' ? `oci-layout://${source.path}${reference && `:${reference}`}` : reference;
}

async function keepWhole(descriptor: Descriptor, { from, images, signal }: Documents): Promise<Uint8Array> {
  const stored = useStored(images.content, descriptor.digest);
  if (stored !== undefined) return stored;
  const bytes = await readWhole(from, descriptor, signal);
  await images.content.write(fromBytes(bytes), descriptor);
  return bytes;
}

async function describe(
  request: ImageRequest,
  { descriptor, manifest }: { readonly descriptor: Descriptor; readonly manifest: Manifest },
  documents: Documents,
): Promise<ResolvedImage> {
  requireImage(manifest, request.reference);
  const config = parseImageConfig(await keepWhole(manifest.config, documents));
  return {
    reference: fullName(request.source, request.reference, descriptor),
    source: request.source,
    manifest: descriptor.digest,
    config: { ...config, platform: withDefaults(config.platform, request.platform) },
  };
}

function withDefaults(own: Platform, wanted: Platform): Platform {
  return own.architecture === '' ? wanted : own;
}

function fullName(source: ImageSource, reference: string, { digest }: Descriptor): string {
  if (source.kind === 'layout')
    return `oci-layout://${source.path}${reference === '' ? '' : `:${reference}`}@${digest}`;
  return formatReference({ ...parseReference(reference), digest });
}

/** Returns the manifest that a name resolved to before, if the store still has it and its configuration. */
function recall(file: string, images: ImageSources): { descriptor: Descriptor; manifest: Manifest } | undefined {
  try {
    const { manifest: digest }: { manifest?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
    const descriptor = parseDescriptor({ mediaType: 'application/json', digest, size: 0 });
    const bytes = useStored(images.content, descriptor.digest);
    if (bytes === undefined) return undefined;
    const manifest = parseManifest(bytes);
    if (isIndex(manifest) || useStored(images.content, manifest.config.digest) === undefined) return undefined;
    return { descriptor: { ...descriptor, mediaType: manifest.mediaType, size: bytes.length }, manifest };
  } catch {
    // Never resolved, or a crash left the file incomplete: ask the registry.
    return undefined;
  }
}
