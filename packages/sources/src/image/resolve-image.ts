import { getOrMake } from '@tbuild/concurrency';
import { openLayout } from '@tbuild/content';
import type { ImageEngine } from '@tbuild/engine';
import { prefixed, TbuildError } from '@tbuild/errors';
import type { EngineKind, ImageRequest, ResolvedImage, ResolveImage } from '@tbuild/frontend';
import { formatPlatform, formatReference, parseReference, type Descriptor, type Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { PullPolicy } from '@tbuild/spec';
import { touch, writeNote } from '@tbuild/store';
import {
  findInEngine,
  findInEngines,
  hintOfOthers,
  isFromRegistry,
  takeFromEngine,
  type FoundInEngine,
  type InEngines,
} from './engine-images.ts';
import { describe, recall, resolveFrom, type Documents, type KnownImage } from './image-documents.ts';
import type { ImageSources } from './image-sources.ts';

/** What registries have said about tags, for all resolvers of a build. */
export interface AskedTags {
  /** The present digests, by name. */
  readonly digests: Map<string, Promise<string | undefined>>;
  /** The names that were warned about. */
  readonly doubted: Set<string>;
  /** The images that were read from an engine, by ID. */
  readonly reading: Map<string, Promise<Descriptor>>;
}

export function createAskedTags(): AskedTags {
  return { digests: new Map(), doubted: new Set(), reading: new Map() };
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
 * Creates the resolver of base images. Images in the store come first, then those whose registry is known here, then those
 * that only an engine of this machine has, and then registries. Manifests and configurations are stored, so a build needs
 * no network for an image that it knows: where the registry does not answer, the tag keeps its image.
 */
export function createResolveImage(images: ImageSources, options: ResolveOptions): ResolveImage {
  const asked = options.asked ?? createAskedTags();
  return async (request, signal) => {
    const { source } = request;
    if (source.kind === 'layout') return resolveInLayout(request, source.path, { images, signal });
    const resolving = { request, images, options, asked, signal };
    if (source.kind === 'engine') return resolveInEngine(source.engine, resolving);
    const reference = parseReference(request.reference);
    const stored = { from: images.content, images, signal };
    const name = formatReference(reference);
    const mayBeInEngine = options.pull !== 'always' && reference.digest === undefined;
    const find = () => findInEngines(request, images.engines, signal);
    const first = mayBeInEngine && images.engines.comeFirst ? await find() : NOWHERE;
    const { found: preferred } = first;
    if (preferred !== undefined) return options.track(name, () => take(preferred, resolving));
    const own = options.pull === 'always' ? undefined : images.refs.get(reference);
    if (own !== undefined) return resolveFrom({ ...request, source: { kind: 'store' } }, own, stored);
    const memo = images.store.resolvedReference(`${name} ${formatPlatform(request.platform)}`);
    const known = options.pull === 'always' || !touch(memo, images.now()) ? undefined : recall(memo, images);
    const isFixed = options.pull !== 'newer' || reference.digest !== undefined;
    if (known !== undefined && isFixed) return describe(request, known, stored);
    const { found, others } = mayBeInEngine && known === undefined && !images.engines.comeFirst ? await find() : first;
    if (found !== undefined && (options.pull === 'never' || !isFromRegistry(found, reference)))
      return options.track(name, () => take(found, resolving));
    const otherwise = hintOfOthers(others, request);
    if (options.pull === 'never') throw notStored(request.reference, otherwise);
    return options.track(name, () => askRegistry({ reference, memo, known, found, otherwise }, resolving));
  };
}

const NOWHERE: InEngines = { others: [] };

/** An image that is being resolved. */
interface Resolving {
  readonly request: ImageRequest;
  readonly images: ImageSources;
  readonly options: ResolveOptions;
  readonly asked: AskedTags;
  readonly signal: AbortSignal;
}

function take(
  found: FoundInEngine,
  { request, images, asked: { reading }, signal }: Resolving,
): Promise<ResolvedImage> {
  return takeFromEngine(found, request, { images, reading, signal });
}

function resolveInEngine(kind: EngineKind, resolving: Resolving): Promise<ResolvedImage> {
  const { request, images, options, signal } = resolving;
  return options.track(`${kind}://${request.reference}`, async () =>
    take(await findInEngine(request.reference, await images.engines.open(kind), signal), resolving),
  );
}

interface Named {
  readonly reference: Reference;
  /** The note about what the name was resolved to. */
  readonly memo: string;
  readonly known: KnownImage | undefined;
  /** An image of an engine, which takes the place of a registry that does not answer. */
  readonly found: FoundInEngine | undefined;
  /** The hint when no registry has it either. */
  readonly otherwise: string | undefined;
}

async function askRegistry(
  { reference, memo, known, found, otherwise }: Named,
  resolving: Resolving,
): Promise<ResolvedImage> {
  const { request, images, options, asked, signal } = resolving;
  const name = formatReference(reference);
  const stored = { from: images.content, images, signal };
  try {
    const repository = await images.openRepository(reference);
    const ask = () => getOrMake(asked.digests, name, () => askDigest(reference, repository, signal));
    // The registry of an image that an engine has too gets no more time than that of a known one.
    if (found !== undefined) await ask();
    if (known?.root !== undefined && (await ask()) === known.root) return await describe(request, known, stored);
    const root = await repository.resolve(reference.digest ?? tagOf(reference), signal);
    const resolved = await resolveFrom(request, root, { from: repository, images, signal });
    writeNote(memo, { manifest: resolved.manifest, root: root.digest, source: name });
    return resolved;
  } catch (error) {
    if (signal.aborted) throw error;
    const instead =
      found === undefined ? known && (() => describe(request, known, stored)) : () => take(found, resolving);
    if (instead === undefined) throw prefixed(error, `Failed to resolve source metadata for ${name}`, otherwise);
    if (!asked.doubted.has(name)) options.warn(staleWarning(name, error, found?.engine));
    asked.doubted.add(name);
    return instead();
  }
}

/** Asks for the digest that a tag has now. */
function askDigest(reference: Reference, repository: Repository, signal: AbortSignal): Promise<string | undefined> {
  return repository.digestOf(tagOf(reference), AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]));
}

function tagOf({ tag }: Reference): string {
  return tag ?? 'latest';
}

function staleWarning(name: string, error: unknown, engine?: ImageEngine): string {
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const reason = isLate
    ? `no answer in ${PATIENCE / 1000} seconds`
    : error instanceof Error
      ? error.message
      : String(error);
  return `${name} is taken ${engine === undefined ? 'as it was' : `from ${engine.name}`}, and may be out of date: ${reason}`;
}

function notStored(reference: string, hint = 'Leave out --pull=never, so that its registry is asked'): TbuildError {
  return new TbuildError('NOT_FOUND', `Image ${JSON.stringify(reference)} is not in the store`, { hint });
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
