import { readFileSync } from 'node:fs';
import { getOrMake } from '@tbuild/concurrency';
import { fromBytes, openLayout, readWhole, type Provider, useStored } from '@tbuild/content';
import { prefixed, TbuildError } from '@tbuild/errors';
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
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { PullPolicy } from '@tbuild/spec';
import { touch, writeAtomically } from '@tbuild/store';
import type { ImageSources } from './image-sources.ts';

/** What registries have said about tags, for all resolvers of a build. */
export interface AskedTags {
  /** The present digests, by name. */
  readonly digests: Map<string, Promise<string | undefined>>;
  /** The names that were warned about. */
  readonly doubted: Set<string>;
}

export function createAskedTags(): AskedTags {
  return { digests: new Map(), doubted: new Set() };
}

export interface ResolveOptions {
  /** Default: none of this build. */
  readonly asked?: AskedTags;
  readonly pull: PullPolicy;
  /** Reports that an image may be out of date. */
  warn(message: string): void;
  /** Wraps a lookup that is not answered from the store, to show it as a step. */
  track<T>(reference: string, work: () => Promise<T>): Promise<T>;
}

/** How long a registry may take to tell whether a known tag has changed, in milliseconds. */
const PATIENCE = 2000;

/**
 * Creates the resolver of base images. Images in the store come first. Manifests and configurations are stored, so a
 * build needs no network for an image that it knows: where the registry does not answer, the tag keeps its image.
 */
export function createResolveImage(images: ImageSources, options: ResolveOptions): ResolveImage {
  const { digests, doubted } = options.asked ?? createAskedTags();
  return async (request, signal) => {
    const { source } = request;
    if (source.kind === 'layout') return resolveInLayout(request, source.path, { images, signal });
    const reference = parseReference(request.reference);
    const stored = { from: images.content, images, signal };
    const own =
      options.pull === 'always' ? undefined : await localImage(request.platform, reference, { images, signal });
    if (own !== undefined) return resolveFrom({ ...request, source: { kind: 'store' } }, own, stored);
    const memo = images.store.resolvedReference(`${formatReference(reference)} ${formatPlatform(request.platform)}`);
    const known = options.pull === 'always' || !touch(memo, images.now()) ? undefined : recall(memo, images);
    const isFixed = options.pull !== 'newer' || reference.digest !== undefined;
    if (known !== undefined && isFixed) return describe(request, known, stored);
    if (options.pull === 'never') throw notStored(request.reference);
    const name = formatReference(reference);
    return options.track(name, async () => {
      try {
        const repository = await images.openRepository(reference);
        const ask = () => getOrMake(digests, name, () => askDigest(reference, repository, signal));
        if (known?.root !== undefined && (await ask()) === known.root) return await describe(request, known, stored);
        const root = await repository.resolve(reference.digest ?? tagOf(reference), signal);
        const resolved = await resolveFrom(request, root, { from: repository, images, signal });
        const { manifest } = resolved;
        writeAtomically(memo, JSON.stringify({ manifest, root: root.digest, source: name }));
        return resolved;
      } catch (error) {
        if (signal.aborted) throw error;
        if (known === undefined) throw prefixed(error, `Failed to resolve source metadata for ${name}`);
        if (!doubted.has(name)) options.warn(staleWarning(name, error));
        doubted.add(name);
        return describe(request, known, stored);
      }
    });
  };
}

/** Returns the image that a name has on this machine. */
async function localImage(
  platform: Platform,
  reference: Reference,
  { images, signal }: { readonly images: ImageSources; readonly signal: AbortSignal },
): Promise<Descriptor | undefined> {
  return (await images.findInEngine?.(reference, platform, signal)) ?? images.refs.get(reference);
}

/** Asks for the digest that a tag has now. */
function askDigest(reference: Reference, repository: Repository, signal: AbortSignal): Promise<string | undefined> {
  return repository.digestOf(tagOf(reference), AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]));
}

function tagOf({ tag }: Reference): string {
  return tag ?? 'latest';
}

function staleWarning(name: string, error: unknown): string {
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const reason = isLate
    ? `no answer in ${PATIENCE / 1000} seconds`
    : error instanceof Error
      ? error.message
      : String(error);
  return `${name} is taken as it was, and may be out of date: ${reason}`;
}

function notStored(reference: string): TbuildError {
  return new TbuildError('NOT_FOUND', `Image ${JSON.stringify(reference)} is not in the store`, {
    hint: 'Leave out --pull=never, so that its registry is asked',
  });
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

interface KnownImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** The digest of the tag itself, perhaps of an index. */
  readonly root: string | undefined;
}

/** Returns the manifest that a name resolved to before, if the store still has it and its configuration. */
function recall(file: string, images: ImageSources): KnownImage | undefined {
  try {
    const { manifest: digest, root }: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(file, 'utf8'));
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
    // Never resolved, or a crash left the file incomplete: ask the registry.
    return undefined;
  }
}
