import type { Provider } from '@tbuild/content';
import { fromBytes, readWhole } from '@tbuild/content';
import {
  digestOf,
  isIndex,
  isIndexType,
  isManifestType,
  layerCompression,
  layerMediaType,
  parseImageConfig,
  parseManifest,
  type Descriptor,
  type Digest,
  type Index,
  type LayerCompression,
  type Manifest,
} from '@tbuild/oci';
import { compressLayer, type VariantStore } from './compress-layer.ts';

/** An image or index that is in a store, as it is to be written elsewhere. */
export interface StoredExport {
  readonly root: Descriptor;
  readonly rootBytes: Uint8Array;
  readonly content: Provider;
}

/**
 * A stored image or index whose layers are all compressed: those that are not become so, and the documents above
 * them change; everything else stays byte for byte, so an image that came compressed keeps its digest.
 */
export async function compressStored(
  root: Descriptor,
  store: VariantStore,
  { compression = 'gzip', signal }: { readonly compression?: LayerCompression; readonly signal: AbortSignal },
): Promise<StoredExport> {
  const documents = new Map<Digest, Uint8Array>();
  const work: Work = { store, compression, documents, signal };
  const written = await rewrite(root, work);
  const content: Provider = {
    has: async (digest) => documents.has(digest) || store.content.has(digest),
    async read(target, within) {
      const bytes = documents.get(target.digest);
      return bytes === undefined ? store.content.read(target, within) : fromBytes(bytes);
    },
  };
  return { root: written, rootBytes: await readWhole(content, written, signal), content };
}

interface Work {
  readonly store: VariantStore;
  readonly compression: LayerCompression;
  /** Documents that are not as in the store. */
  readonly documents: Map<Digest, Uint8Array>;
  readonly signal: AbortSignal;
}

async function rewrite(target: Descriptor, work: Work): Promise<Descriptor> {
  if (!isIndexType(target.mediaType) && !isManifestType(target.mediaType)) return target;
  const document = parseManifest(await readWhole(work.store.content, target, work.signal), target.mediaType);
  const changed = isIndex(document) ? await rewriteIndex(document, work) : await rewriteManifest(document, work);
  if (changed === undefined) return target;
  const bytes = Buffer.from(JSON.stringify(changed));
  const digest = digestOf(bytes);
  work.documents.set(digest, bytes);
  return { ...target, digest, size: bytes.length };
}

async function rewriteIndex(index: Index, work: Work): Promise<Index | undefined> {
  const manifests: Descriptor[] = [];
  for (const manifest of index.manifests) manifests.push(await rewrite(manifest, work));
  const renamed = new Map(index.manifests.map(({ digest }, at) => [digest as string, manifests[at]?.digest ?? digest]));
  return isSame(index.manifests, manifests)
    ? undefined
    : { ...index, manifests: manifests.map((manifest) => pointingAt(manifest, renamed)) };
}

const REFERENCE = 'vnd.docker.reference.digest';

/** An attestation names the manifest that it is about. */
function pointingAt(manifest: Descriptor, renamed: ReadonlyMap<string, Digest>): Descriptor {
  const subject = renamed.get(manifest.annotations?.[REFERENCE] ?? '');
  return subject === undefined
    ? manifest
    : { ...manifest, annotations: { ...manifest.annotations, [REFERENCE]: subject } };
}

async function rewriteManifest(
  manifest: Manifest,
  { store, compression, signal }: Work,
): Promise<Manifest | undefined> {
  if (!manifest.layers.some(({ mediaType }) => layerCompression(mediaType) === 'uncompressed')) return undefined;
  const { diffIds } = parseImageConfig(await readWhole(store.content, manifest.config, signal));
  const layers: Descriptor[] = [];
  for (const [at, descriptor] of manifest.layers.entries()) {
    const diffId = diffIds[at];
    const layer =
      diffId === undefined
        ? descriptor
        : (await compressLayer({ descriptor, diffId }, { compression }, { from: store.content, store, signal }))
            .descriptor;
    layers.push(
      layer === descriptor || !descriptor.mediaType.includes('docker')
        ? layer
        : { ...layer, mediaType: dockerType(layer.mediaType) },
    );
  }
  return isSame(manifest.layers, layers) ? undefined : { ...manifest, layers };
}

function dockerType(mediaType: string): string {
  return mediaType === layerMediaType('gzip') ? 'application/vnd.docker.image.rootfs.diff.tar.gzip' : mediaType;
}

function isSame(before: readonly Descriptor[], after: readonly Descriptor[]): boolean {
  return before.every(({ digest }, at) => digest === after[at]?.digest);
}
