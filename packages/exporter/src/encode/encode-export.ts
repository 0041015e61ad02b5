import { fitInlineCache } from '@tbuild/cache';
import { readBriefly, type Provider, withDocuments } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { compressPending, encodeLayer, type LayerEncoding, variantOf, type VariantStore } from '@tbuild/layers';
import {
  encodeImage,
  encodeIndex,
  goSecondsOf,
  type Descriptor,
  type EncodedDocument,
  type EncodedImage,
  type Image,
  type Layer,
  type Platform,
} from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { ImageFormat } from '@tbuild/spec';
import type { Exportable, Exported, ExportedImage, Exporter, ExportRun } from '../exporter.ts';
import { annotated, annotationsOf } from './annotations-of.ts';
import { attestationEntry, encodeAttestations, isAttested } from './attestation.ts';
import { clampCreated } from './clamp-created.ts';

/** The encoded result: documents made here, layers as blobs. */
export interface EncodedExport {
  /** The manifest of a single image, or the index of several. */
  readonly root: Descriptor;
  readonly images: readonly EncodedImage[];
  /** Configurations, manifests, and the index if there is one: children before parents. */
  readonly documents: readonly EncodedDocument[];
  /** The layers of all images, each once. */
  readonly layers: readonly Descriptor[];
  /** Serves documents and layers. */
  readonly content: Provider;
}

/** Layers stay as they are unless a compression is given. */
export interface EncodeOptions extends ImageFormat {
  /** Needed when layers change their form. */
  readonly store?: VariantStore;
}

/** Makes the documents of a result, with layers in the requested encoding. */
export async function encodeExport(
  result: Exportable,
  options: EncodeOptions,
  { report, signal }: ExportRun,
): Promise<EncodedExport> {
  const { store, annotations = [] } = options;
  const attests = isAttested(result.images);
  const mediaTypes = annotations.length > 0 || attests ? 'oci' : options.mediaTypes;
  const from = store === undefined ? result.content : firstOf(store.content, result.content);
  const images: EncodedImage[] = [];
  report('exporting layers', 0);
  await result.prepared;
  for (const exported of result.images) {
    const layers =
      store === undefined
        ? exported.image.layers
        : await encodeLayers(exported, options, { epoch: result.epoch, from, store, signal });
    const said = { ...exported.image.annotations, ...annotationsOf(annotations, 'manifest', exported.image.platform) };
    const image = withFittingCache(clampCreated(exported, result.epoch), { ...options, layers, epoch: result.epoch });
    images.push(encodeImage({ ...image, layers, annotations: said }, mediaTypes));
  }
  report('exporting layers', 0, 0);
  for (const { manifest, config } of images) {
    report(`exporting manifest ${manifest.descriptor.digest}`, 0, 0);
    report(`exporting config ${config.descriptor.digest}`, 0, 0);
  }
  const attested = attests
    ? attestationsOf(result, images, { artifact: options.attestationArtifact ?? mediaTypes !== 'docker', report })
    : { documents: [], entries: [] };
  const index = !hasIndex(result)
    ? undefined
    : indexOf(result, { images, more: attested.entries }, { ...options, mediaTypes });
  const documents = [
    ...images.flatMap(({ config, manifest }) => [config, manifest]),
    ...attested.documents,
    ...(index === undefined ? [] : [index]),
  ];
  const root = documents.at(-1)?.descriptor;
  if (root === undefined) throw new Error('There is no image to export');
  const layers = unique(images.flatMap((image) => image.layers.map((layer) => layer.descriptor)));
  return {
    root: annotatedRoot(root, result, options),
    images,
    documents,
    layers,
    content: withDocuments(documents, from),
  };
}

/** Encodes like {@link encodeExport}, but compresses layers with gzip unless a compression is given. */
export function encodeCompressed(result: Exportable, options: EncodeOptions, run: ExportRun): Promise<EncodedExport> {
  return encodeExport(result, compressed(options), run);
}

function compressed<T extends EncodeOptions>(options: T): T {
  return { ...options, compression: options.compression ?? 'gzip' };
}

/** Returns the answer of an exporter that wrote an image. */
export function exportedTo(destination: string, { root, images }: EncodedExport): Exported {
  return {
    destination,
    manifest: root,
    images: images.map(({ config, manifest }) => ({
      config: config.descriptor.digest,
      manifest: manifest.descriptor.digest,
    })),
  };
}

/**
 * Returns the only image of a result.
 * @throws TbuildError UNSUPPORTED for several, with the name of the format that cannot hold them.
 */
export function onlyImage<T>(images: readonly T[], format: string, hint: string): T {
  const [image] = images;
  if (images.length === 1 && image !== undefined) return image;
  throw new TbuildError('UNSUPPORTED', `${format} holds the image of one platform, but there are ${images.length}`, {
    hint,
  });
}

/** One layer at a time: compressing a single one already keeps every core busy. */
async function encodeLayers(
  { image, baseLayers = 0 }: ExportedImage,
  format: ImageFormat,
  work: {
    readonly epoch?: number;
    readonly from: Provider;
    readonly store: VariantStore;
    readonly signal: AbortSignal;
  },
): Promise<Image['layers']> {
  const { latest, ...encoding } = encodingOf(format, work.epoch);
  const layers = [];
  for (const [at, layer] of image.layers.entries()) {
    const own = at < baseLayers ? undefined : latest;
    const encoded = await encodeLayer(layer, { ...encoding, latest: own }, work);
    layers.push(own !== undefined && encoded.isClamped ? rewritten(encoded.layer, own) : encoded.layer);
  }
  return layers;
}

function withFittingCache(
  image: Image,
  {
    layers,
    epoch: latest,
    rewriteTimestamp: isRewritten = false,
  }: Pick<Image, 'layers'> & Pick<ImageFormat, 'rewriteTimestamp'> & { readonly epoch?: number },
): Image {
  if (image.inlineCache === undefined || latest === undefined) return image;
  const diffIds = layers.map(({ diffId }) => diffId);
  return { ...image, inlineCache: fitInlineCache(image.inlineCache, { diffIds, latest, isRewritten }) };
}

/** Marks a layer as BuildKit does whose times were rewritten. */
function rewritten({ descriptor, diffId }: Layer, latest: number): Layer {
  return { descriptor: annotated(descriptor, { 'buildkit/rewritten-timestamp': String(latest / 1000) }), diffId };
}

/** Returns the form of a layer of this build. Times change in no layer of the base image. */
function encodingOf(format: ImageFormat, epoch: number | undefined): LayerEncoding {
  return {
    compression: format.compression,
    level: format.compressionLevel,
    force: format.forceCompression,
    latest: format.rewriteTimestamp === true ? epoch : undefined,
  };
}

/** Returns `prepare` for an exporter that calls {@link encodeExport}; nothing where layers stay as they are. */
export function preparing(options: EncodeOptions): Pick<Exporter, 'prepare' | 'compresses'> {
  const { store, compression = 'uncompressed', rewriteTimestamp = false } = options;
  if (store === undefined || (compression === 'uncompressed' && !rewriteTimestamp)) return {};
  return {
    compresses:
      compression === 'uncompressed' || rewriteTimestamp
        ? undefined
        : variantOf({ compression, level: options.compressionLevel }),
    async prepare({ layer, bytes }, epoch, signal) {
      const { latest, ...encoding } = encodingOf(options, epoch);
      if (bytes !== undefined && latest === undefined && compression !== 'uncompressed')
        await compressPending({ layer, bytes }, { ...encoding, compression }, { store, signal }).catch(() => {});
      const made = await layer;
      if (made !== undefined) await encodeLayer(made, { ...encoding, latest }, { from: store.content, store, signal });
    },
  };
}

/** Returns `prepare` for {@link encodeCompressed}. */
export function preparingCompressed(options: EncodeOptions): Pick<Exporter, 'prepare' | 'compresses'> {
  return preparing(compressed(options));
}

/** Returns whether the root of a result is an index. */
export function hasIndex(result: Exportable): boolean {
  return result.isMultiPlatform === true || result.images.length > 1 || isAttested(result.images);
}

interface Attested {
  readonly documents: readonly EncodedDocument[];
  /** Entries of the index after the images. */
  readonly entries: readonly Descriptor[];
}

function attestationsOf(
  { images, names }: Exportable,
  encoded: readonly EncodedImage[],
  { artifact, report }: { readonly artifact: boolean; readonly report: ReportTransfer },
): Attested {
  const all = images.flatMap(({ image, attestations = [] }, at) => {
    const about = encoded[at]?.manifest.descriptor;
    if (about === undefined || attestations.length === 0) return [];
    const made = encodeAttestations(attestations, { image: about, names, platform: image.platform }, { artifact });
    report(`exporting attestation manifest ${made.manifest.descriptor.digest}`, 0, 0);
    return [{ made, entry: attestationEntry(made, about) }];
  });
  return {
    documents: all.flatMap(({ made }) => [...made.blobs, made.manifest]),
    entries: all.map(({ entry }) => entry),
  };
}

interface IndexedManifests {
  readonly images: readonly EncodedImage[];
  /** Entries after those of the images. */
  readonly more: readonly Descriptor[];
}

function indexOf(
  result: Exportable,
  { images, more }: IndexedManifests,
  { annotations = [], mediaTypes }: ImageFormat,
): EncodedDocument {
  const manifests = images.map(({ manifest }, at) => {
    const platform = platformOf(result.images[at]);
    return annotated({ ...manifest.descriptor, platform }, annotationsOf(annotations, 'manifest-descriptor', platform));
  });
  return encodeIndex([...manifests, ...more], { mediaTypes, annotations: annotationsOf(annotations, 'index') });
}

/** The platform of an image in an index: the requested one, whatever its base image says. */
function platformOf(exported: ExportedImage | undefined): Platform | undefined {
  return exported?.platform ?? exported?.image.platform;
}

/** Returns the descriptor that points at the result. */
function annotatedRoot(encoded: Descriptor, result: Exportable, { annotations = [] }: ImageFormat): Descriptor {
  const { images } = result;
  const root = annotated(encoded, createdAnnotation(result));
  if (hasIndex(result)) return annotated(root, annotationsOf(annotations, 'index-descriptor'));
  const platform = platformOf(images[0]);
  return annotated({ ...root, platform }, annotationsOf(annotations, 'manifest-descriptor', platform));
}

/** The time of the build: `SOURCE_DATE_EPOCH`, else that of the newest image, so that equal builds have equal bytes. */
function createdAnnotation({ images, epoch }: Exportable): Readonly<Record<string, string>> | undefined {
  const times = images.map(({ image }) => Date.parse(image.created ?? '')).filter((time) => !Number.isNaN(time));
  const created = epoch ?? (times.length === 0 ? undefined : Math.max(...times));
  return created === undefined ? undefined : { 'org.opencontainers.image.created': goSecondsOf(created) };
}

function unique(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}

function firstOf(first: Provider, second: Provider): Provider {
  const holderOf = async (blob: Descriptor, signal?: AbortSignal): Promise<Provider> =>
    (await first.has(blob, signal)) ? first : second;
  return {
    has: async (blob) => (await first.has(blob)) || second.has(blob),
    read: async (target, signal) => (await holderOf(target, signal)).read(target, signal),
    readBriefly: async (target, signal) => readBriefly(await holderOf(target, signal), target, signal),
  };
}
