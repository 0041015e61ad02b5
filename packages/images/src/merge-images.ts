import { copyImage, firstOf, readWhole, withDocuments, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { annotated, annotationsOf, REFERENCE_DIGEST, withTag, writeLayout } from '@tbuild/exporter';
import {
  encodeIndex,
  formatPlatform,
  isIndex,
  MediaType,
  parseImageConfig,
  samePlatform,
  type Descriptor,
  type EncodedDocument,
  type Platform,
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { Annotation } from '@tbuild/spec';
import { readPlace, type ImagePlace } from './image-place.ts';
import type { Registries } from './places.ts';

/** An index made of images in registries and layouts, and the location of its parts. */
export interface MergedImages {
  readonly index: EncodedDocument;
  /** Serve the images, one for each source. */
  readonly providers: readonly Provider[];
  readonly sources: readonly ImagePlace[];
}

export interface MergeOptions {
  /** Keep only these platforms. All if undefined. */
  readonly platforms?: readonly Platform[];
  /** Annotations of the index and its entries. */
  readonly annotations?: readonly Annotation[];
  /** Whether to make an index of a single image. Defaults to true. */
  readonly preferIndex?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Merges images from registries and layouts into one index. An index contributes all of its images. A later image replaces an
 * earlier one of the same platform, and attestations follow their image. A single index that does not change keeps its
 * digest. Writes nothing.
 * @throws RegistryError; TbuildError NOT_FOUND if no image remains.
 */
export async function mergeImages(
  sources: readonly ImagePlace[],
  registries: Registries,
  { platforms, annotations = [], preferIndex = true, signal }: MergeOptions,
): Promise<MergedImages> {
  const found: SourceDocument[] = [];
  for (const source of sources) found.push(await readSource(source, registries, signal));
  const providers = found.map(({ provider }) => provider);
  const [only] = found;
  const isUntouched = found.length === 1 && platforms === undefined && annotations.length === 0;
  if (isUntouched && only !== undefined && (only.isIndex || !preferIndex)) return { index: only, sources, providers };
  let manifests: Descriptor[] = [];
  for (const { images } of found) {
    for (const added of images) {
      manifests = [...manifests.filter((known) => known.digest !== added.digest && !replaces(added, known)), added];
    }
  }
  const wanted = withTheirAttestations(
    manifests,
    ({ platform }) =>
      platforms === undefined || platforms.some((one) => platform !== undefined && samePlatform(platform, one)),
  );
  if (wanted.length === 0) {
    const offered = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]));
    throw new TbuildError('NOT_FOUND', 'No image matches the requested platforms', {
      hint: `Choose from ${offered.join(', ')}`,
    });
  }
  const mediaTypes =
    wanted.every(({ mediaType }) => mediaType === MediaType.dockerManifest) && annotations.length === 0
      ? 'docker'
      : 'oci';
  const entries = wanted.map((one) => annotated(one, annotationsOf(annotations, 'manifest-descriptor', one.platform)));
  const index = encodeIndex(entries, { mediaTypes, annotations: annotationsOf(annotations, 'index') });
  return { index, sources, providers };
}

function withTheirAttestations(
  manifests: readonly Descriptor[],
  wants: (image: Descriptor) => boolean,
): readonly Descriptor[] {
  const about = ({ annotations }: Descriptor): string | undefined => annotations?.[REFERENCE_DIGEST];
  const images = manifests.filter((one) => about(one) === undefined && wants(one));
  const kept = new Set<string | undefined>(images.map(({ digest }) => digest));
  return manifests.filter((one) => kept.has(about(one) ?? one.digest));
}

/** Decides whether an entry replaces another. Attestations have no platform and never do. */
function replaces(added: Descriptor, known: Descriptor): boolean {
  if (added.platform === undefined || known.platform === undefined || added.platform.os === 'unknown') return false;
  return samePlatform(added.platform, known.platform);
}

interface SourceDocument extends EncodedDocument {
  readonly isIndex: boolean;
  readonly images: readonly Descriptor[];
  readonly provider: Provider;
}

async function readSource(source: ImagePlace, registries: Registries, signal: AbortSignal): Promise<SourceDocument> {
  const { root, bytes, document, provider } = await readPlace(source, registries, signal);
  if (isIndex(document)) return { descriptor: root, bytes, isIndex: true, images: document.manifests, provider };
  const { platform } = parseImageConfig(await readWhole(provider, document.config, signal));
  const image = { mediaType: root.mediaType, digest: root.digest, size: root.size, platform };
  return { descriptor: root, bytes, isIndex: false, images: [image], provider };
}

/**
 * Writes a merged index to registries and layouts. Copies missing blobs from the sources, or mounts them if they are in
 * the same registry.
 */
export async function pushMerged(
  { index, sources, providers }: MergedImages,
  targets: readonly ImagePlace[],
  { openRepository, signal }: Registries & { readonly signal: AbortSignal },
): Promise<void> {
  const from = withDocuments([index], firstOf(providers));
  const remote = sources.flatMap((source) => (source.kind === 'registry' ? [source.reference] : []));
  for (const place of targets) {
    if (place.kind === 'layout') await writeToLayout(place, { index, from }, signal);
    else await pushTo(place.reference, { index, from, remote }, { openRepository, signal });
  }
}

interface Merged {
  readonly index: EncodedDocument;
  readonly from: Provider;
}

async function writeToLayout(
  { path, name = 'latest' }: Extract<ImagePlace, { kind: 'layout' }>,
  { index, from }: Merged,
  signal: AbortSignal,
): Promise<void> {
  const root = index.descriptor;
  await writeLayout(path, { root, content: from, entries: (present) => withTag(present, root, name) }, signal);
}

async function pushTo(
  name: Reference,
  { index, from, remote }: Merged & { readonly remote: readonly Reference[] },
  { openRepository, signal }: Registries & { readonly signal: AbortSignal },
): Promise<void> {
  const target = await openRepository(name, 'push');
  const mount = async ({ digest }: Descriptor): Promise<boolean> =>
    mountFrom(remote, name, (repository) => target.mount(digest, repository, signal));
  await copyImage(index.descriptor, { from, to: withoutRoot(target, index) }, { signal, mount, trustParents: true });
  await target.pushManifest(
    { bytes: index.bytes, mediaType: index.descriptor.mediaType },
    name.tag ?? index.descriptor.digest,
    signal,
  );
}

async function mountFrom(
  sources: readonly Reference[],
  name: Reference,
  mount: (repository: string) => Promise<boolean>,
): Promise<boolean> {
  for (const { registry, repository } of sources) {
    if (registry === name.registry && repository !== name.repository && (await mount(repository))) return true;
  }
  return false;
}

/** Hides the index from the copy, since it is pushed later under its tag. */
function withoutRoot(target: Repository, { descriptor }: EncodedDocument): Pick<Repository, 'has' | 'read' | 'write'> {
  return {
    ...target,
    write: async (source, expected, signal) =>
      expected?.digest === descriptor.digest ? descriptor : target.write(source, expected, signal),
  };
}
