import { getOrMake } from '@tbuild/concurrency';
import { type Provider, fromBytes, readWhole } from '@tbuild/content';
import { compressLayer, type VariantStore } from '@tbuild/layers';
import {
  digestOf,
  encodeDocument,
  goJson,
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
import { REFERENCE_DIGEST } from './attestation.ts';
import { retargetAttestations, type RenamedImage } from './retarget-attestations.ts';

/** An image or index of the store, in the form in which it is written elsewhere. */
export interface StoredExport {
  readonly root: Descriptor;
  readonly rootBytes: Uint8Array;
  readonly content: Provider;
}

/**
 * Returns a stored image or index with all layers compressed. Compresses those that are not, and rewrites the documents
 * above them. Everything else stays byte for byte, so an image that came compressed keeps its digest.
 */
export async function compressStored(
  root: Descriptor,
  store: VariantStore,
  { compression = 'gzip', signal }: { readonly compression?: LayerCompression; readonly signal: AbortSignal },
): Promise<StoredExport> {
  const documents = new Map<Digest, Uint8Array>();
  const work: Work = { store, compression, documents, rewritten: new Map(), signal };
  const written = await rewrite(root, work);
  const content: Provider = {
    has: async (blob) => documents.has(blob.digest) || store.content.has(blob),
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
  /** Documents that differ from those in the store. */
  readonly documents: Map<Digest, Uint8Array>;
  /** The indexes and manifests that were rewritten, by their digests before. */
  readonly rewritten: Map<Digest, Promise<Descriptor>>;
  readonly signal: AbortSignal;
}

async function rewrite(target: Descriptor, work: Work): Promise<Descriptor> {
  if (!isIndexType(target.mediaType) && !isManifestType(target.mediaType)) return target;
  // Indexes that name each other many times would take for ever.
  const { digest, size } = await getOrMake(work.rewritten, target.digest, () => rewriteDocument(target, work));
  return { ...target, digest, size };
}

async function rewriteDocument(target: Descriptor, work: Work): Promise<Descriptor> {
  const document = parseManifest(await readWhole(work.store.content, target, work.signal), target.mediaType);
  const changed = isIndex(document) ? await rewriteIndex(document, work) : await rewriteManifest(document, work);
  return changed === undefined ? target : putDocument(target, changed, work);
}

function putDocument(before: Descriptor, document: Manifest | Index, work: Work): Descriptor {
  return putBytes(before, encodeDocument(document).bytes, work);
}

function putBytes(before: Descriptor, bytes: Uint8Array, { documents }: Work): Descriptor {
  const digest = digestOf(bytes);
  documents.set(digest, bytes);
  return { ...before, digest, size: bytes.length };
}

/** Images come first: attestations name the manifest that they are about. */
async function rewriteIndex(index: Index, work: Work): Promise<Index | undefined> {
  const renamed = new Map<string, RenamedImage>();
  for (const manifest of index.manifests) {
    if (manifest.annotations?.[REFERENCE_DIGEST] !== undefined) continue;
    renamed.set(manifest.digest, { from: manifest.digest, to: await rewrite(manifest, work) });
  }
  const manifests: Descriptor[] = [];
  for (const manifest of index.manifests) {
    const about = renamed.get(manifest.annotations?.[REFERENCE_DIGEST] ?? '');
    const own = renamed.get(manifest.digest)?.to ?? manifest;
    manifests.push(about === undefined || about.to.digest === about.from ? own : await rewriteAbout(own, about, work));
  }
  return isSame(index.manifests, manifests) ? undefined : { ...index, manifests };
}

async function rewriteAbout(target: Descriptor, image: RenamedImage, work: Work): Promise<Descriptor> {
  const read = (one: Descriptor): Promise<Uint8Array> => readWhole(work.store.content, one, work.signal);
  const document = parseManifest(await read(target), target.mediaType);
  if (isIndex(document)) return target;
  const put = (before: Descriptor, changed: object): Descriptor => putBytes(before, Buffer.from(goJson(changed)), work);
  const written = putDocument(target, await retargetAttestations(document, image, { read, put }), work);
  return { ...written, annotations: { ...written.annotations, [REFERENCE_DIGEST]: image.to.digest } };
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
