import { fromBytes, readWhole, type Provider, useStored } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import type { AskedSource, ImageRequest, ResolvedImage } from '@tbuild/frontend';
import {
  chooseManifest,
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
import { readNote } from '@tbuild/store';
import type { ImageSources } from './image-sources.ts';

/** Where the documents of an image are read, and where they are kept. */
export interface Documents {
  readonly from: Provider;
  readonly images: Pick<ImageSources, 'content'>;
  readonly signal: AbortSignal;
}

/** Follows an index or manifest to the image for the platform, and stores the documents on the way. */
export async function resolveFrom(
  request: ImageRequest,
  root: Descriptor,
  documents: Documents,
): Promise<ResolvedImage> {
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

export async function describe(
  request: ImageRequest,
  { descriptor, manifest }: { readonly descriptor: Descriptor; readonly manifest: Manifest },
  documents: Documents,
): Promise<ResolvedImage> {
  const { source } = request;
  requireImage(manifest, request.reference);
  const config = parseImageConfig(await keepWhole(manifest.config, documents));
  return {
    reference: fullName(source, request.reference, descriptor),
    source: source.kind === 'engine' ? { kind: 'store' } : source,
    manifest: descriptor.digest,
    config: { ...config, platform: withDefaults(config.platform, request.platform) },
  };
}

function withDefaults(own: Platform, wanted: Platform): Platform {
  return own.architecture === '' ? wanted : own;
}

function fullName(source: AskedSource, reference: string, { digest }: Descriptor): string {
  if (source.kind === 'layout')
    return `oci-layout://${source.path}${reference === '' ? '' : `:${reference}`}@${digest}`;
  return formatReference({ ...parseReference(reference), digest });
}

export interface KnownImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** The digest of the tag itself, perhaps of an index. */
  readonly root: string | undefined;
}

/** Returns the manifest that a name resolved to before, if the store still has it and its configuration. */
export function recall(file: string, images: Pick<ImageSources, 'content'>): KnownImage | undefined {
  try {
    const { manifest: digest, root } = readNote(file) ?? {};
    const descriptor = parseDescriptor({ mediaType: 'application/json', digest, size: 0 });
    const bytes = useStored(images.content, descriptor.digest);
    if (bytes === undefined) return undefined;
    const manifest = parseManifest(bytes);
    if (isIndex(manifest) || useStored(images.content, manifest.config.digest) === undefined) return undefined;
    return {
      descriptor: { ...descriptor, mediaType: manifest.mediaType, size: bytes.length },
      manifest,
      root: typeof root === 'string' ? root : undefined,
    };
  } catch {
    // Never resolved, or a document is damaged: ask the registry.
    return undefined;
  }
}
