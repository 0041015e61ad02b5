import { copyImage, type CopyPlaces, readWhole, withDocuments, type Ingester, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  type Descriptor,
  type Digest,
  digestOf,
  EMPTY_DOCUMENT,
  type EncodedDocument,
  INLINE_CACHE_MEMBER,
  isDigest,
  isIndex,
  type Manifest,
  MediaType,
  parseManifest,
} from '@tbuild/oci';
import { CACHE_CONFIG_TYPE, encodeCacheDocument, objectOf, parseCacheDocument } from './cache-document.ts';
import type { CacheContents } from './cached-step.ts';
import { decodeNotes, encodeNotes, NOTES_TYPE, type ExplanationNote } from './explanation-notes.ts';

/** A cache as an OCI manifest whose layers are those of the steps, so that a registry keeps them. */
export interface EncodedCache {
  readonly manifest: EncodedDocument;
  readonly config: EncodedDocument;
  /** The explanations of the steps, if there are any. */
  readonly notes?: EncodedDocument;
  readonly layers: readonly Descriptor[];
}

/** The configuration of a cache that BuildKit exports, and the member of an image in which it embeds one. */
const BUILDKIT_CONFIG_TYPE = 'application/vnd.buildkit.cacheconfig.v0';
const BUILDKIT_INLINE_MEMBER = 'moby.buildkit.cache.v0';

/** Encodes the documents of a cache. The same steps have the same bytes. */
export function encodeCache(
  contents: Pick<CacheContents, 'steps' | 'mounts' | 'outlines'>,
  explanations: readonly ExplanationNote[] = [],
): EncodedCache {
  const { text, layers } = encodeCacheDocument(contents);
  const config = document(CACHE_CONFIG_TYPE, text);
  const notes = explanations.length === 0 ? undefined : document(NOTES_TYPE, encodeNotes(explanations));
  const found = [
    ...layers.map(({ descriptor }) => bare(descriptor)),
    ...(notes === undefined ? [] : [notes.descriptor]),
  ];
  const descriptors = found.length === 0 ? [EMPTY_DOCUMENT.descriptor] : found;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: config.descriptor,
    layers: descriptors,
  };
  return { manifest: document(MediaType.manifest, JSON.stringify(manifest)), config, notes, layers: descriptors };
}

/** Returns the text for an image's configuration: the steps of `contents`, whose layers are the image's own. */
export function encodeInlineCache(contents: CacheContents): string {
  return Buffer.from(encodeCacheDocument({ steps: contents.steps, mounts: [] }).text).toString('base64');
}

export interface WriteCacheOptions {
  readonly signal: AbortSignal;
  /** Skips the layers when the destination has the manifest. Registries ensure that it is complete. */
  readonly trustManifests?: boolean;
  /** How many layers are sent at the same time. */
  readonly concurrency?: number;
  /** Called before a layer is sent. Reports whether the destination took it from a repository that it has access to. */
  readonly mount?: (blob: Descriptor) => Promise<boolean>;
  readonly onProgress?: (blob: Descriptor, bytes: number) => void;
  /** Blobs that something else brings to the destination: they, and the manifest, wait for its end. */
  readonly others?: { readonly digests: ReadonlySet<Digest>; readonly ended: Promise<void> };
  /** Stores the manifest, with its tag if there is one. Called after everything that it names is stored. */
  writeManifest(manifest: EncodedDocument): Promise<void>;
}

/** Copies the missing parts of a cache to `to`. Layers come from `from`. */
export async function writeCache(
  cache: EncodedCache,
  { from, to }: CopyPlaces,
  options: WriteCacheOptions,
): Promise<void> {
  const { manifest, config, notes } = cache;
  const { digest, mediaType, size } = manifest.descriptor;
  const { signal, mount, onProgress, concurrency, others } = options;
  if (options.trustManifests === true && (await to.has({ digest, mediaType }))) {
    await others?.ended;
    return options.writeManifest(manifest);
  }
  const source = withDocuments([manifest, config, ...(notes === undefined ? [] : [notes]), EMPTY_DOCUMENT], from);
  const copy = async (filter: (blob: Descriptor) => boolean, writeManifest: () => Promise<void>): Promise<void> => {
    const target: Provider & Ingester = {
      has: async (blob) => blob.digest !== digest && to.has(blob),
      read: (descriptor, within) => to.read(descriptor, within),
      async write(bytes, expected, within) {
        if (expected?.digest !== digest) return to.write(bytes, expected, within);
        await writeManifest();
        return { digest, size };
      },
    };
    const copying = { signal, mount, onProgress, concurrency, filter };
    await copyImage(manifest.descriptor, { from: source, to: target }, copying);
  };
  if (others !== undefined) {
    await copy(
      (blob) => !others.digests.has(blob.digest),
      async () => others.ended,
    );
  }
  await copy(
    () => true,
    () => options.writeManifest(manifest),
  );
}

/**
 * Reads the steps of a cache manifest or of an image with an inline cache; for an index, those of all its images. Reads no layer.
 *
 * @throws TbuildError NOT_FOUND when there is no cache of tbuild, UNSUPPORTED when BuildKit made it, REGISTRY when it is
 * not valid.
 */
export async function readCache(from: Provider, root: Descriptor, signal: AbortSignal): Promise<CacheContents> {
  const found = await readFrom(root, { from, signal, seen: new Set() });
  if (found === undefined) throw new TbuildError('NOT_FOUND', `Manifest ${root.digest} holds no cache of tbuild`);
  return found;
}

/** Returns whether a manifest is a cache of tbuild, not an image. */
export function isCache({ config }: Manifest): boolean {
  return config.mediaType === CACHE_CONFIG_TYPE;
}

interface Reading {
  readonly from: Provider;
  readonly signal: AbortSignal;
  /** Each document is read once: a few indexes that name each other many times would never end. */
  readonly seen: Set<Digest>;
}

async function readFrom(node: Descriptor, reading: Reading): Promise<CacheContents | undefined> {
  const { from, signal, seen } = reading;
  if (seen.has(node.digest)) return undefined;
  seen.add(node.digest);
  const manifest = parseManifest(await readWhole(from, node, signal), node.mediaType);
  if (isIndex(manifest)) {
    if (manifest.manifests.some(({ mediaType }) => mediaType === BUILDKIT_CONFIG_TYPE)) throw ofBuildKit();
    const parts = await Promise.all(manifest.manifests.map((child) => readFrom(child, reading)));
    const found = parts.filter((part) => part !== undefined);
    return found.length === 0
      ? undefined
      : {
          steps: found.flatMap(({ steps }) => steps),
          mounts: found.flatMap(({ mounts }) => mounts),
          outlines: Object.assign({}, ...found.map(({ outlines }) => outlines)),
          notes: found.find(({ notes }) => notes !== undefined)?.notes,
        };
  }
  if (manifest.config.mediaType === BUILDKIT_CONFIG_TYPE) throw ofBuildKit();
  const isOnlyCache = isCache(manifest);
  if (
    !isOnlyCache &&
    manifest.config.mediaType !== MediaType.config &&
    manifest.config.mediaType !== MediaType.dockerConfig
  )
    return undefined;
  const text = Buffer.from(await readWhole(from, manifest.config, signal)).toString('utf8');
  if (isOnlyCache) return { ...parseCacheDocument(text, manifest.layers), notes: notesIn(manifest.layers, from) };
  return readInline(text, manifest.layers);
}

function notesIn(layers: readonly Descriptor[], from: Provider): CacheContents['notes'] {
  const found = layers.find(({ mediaType }) => mediaType === NOTES_TYPE);
  return found && (async (signal) => decodeNotes(await readWhole(from, found, signal)));
}

function readInline(config: string, layers: readonly Descriptor[]): CacheContents | undefined {
  const document = objectOf(config, 'Image configuration');
  const { [INLINE_CACHE_MEMBER]: cache, rootfs } = document;
  const { diff_ids: given }: { readonly diff_ids?: unknown } = Object(rootfs);
  if (cache === undefined && Object.hasOwn(document, BUILDKIT_INLINE_MEMBER)) throw ofBuildKit();
  if (typeof cache !== 'string' || !Array.isArray(given)) return undefined;
  const diffIds = given.filter((id): id is Digest => typeof id === 'string' && isDigest(id));
  return parseCacheDocument(Buffer.from(cache, 'base64').toString('utf8'), layers, diffIds);
}

function ofBuildKit(): TbuildError {
  return new TbuildError('UNSUPPORTED', 'BuildKit made it, and tbuild cannot read it');
}

function document(mediaType: string, content: string | Uint8Array): EncodedDocument {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
