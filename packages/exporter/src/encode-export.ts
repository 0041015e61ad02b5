import type { Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  encodeImage, encodeIndex, type Descriptor, type Digest, type EncodedDocument, type EncodedImage, type Image, type LayerCompression,
} from '@tbuild/oci';
import { compressLayer, type VariantStore } from './compress-layer.ts';
import type { Exportable, ReportExport } from './exporter.ts';

/** What is written down of a result: documents made here, layers as blobs. */
export interface EncodedExport {
  /** The manifest of one image, the index of several. */
  readonly root: Descriptor;
  readonly images: readonly EncodedImage[];
  /** Configurations, manifests, and the index if there is one: children first. */
  readonly documents: readonly EncodedDocument[];
  /** The layers of all images, each once. */
  readonly layers: readonly Descriptor[];
  /** Documents and layers. */
  readonly content: Provider;
}

export interface EncodeOptions {
  /** How layers that are uncompressed should be compressed; they stay as they are unless given. */
  readonly compression?: LayerCompression;
  /** Needed for compression. */
  readonly store?: VariantStore;
}

/** Makes the documents of a result, with layers in the encoding wanted. */
export async function encodeExport(
  result: Exportable,
  { compression = 'uncompressed', store }: EncodeOptions,
  report: ReportExport,
  signal: AbortSignal,
): Promise<EncodedExport> {
  const from = store === undefined ? result.content : firstOf(store.content, result.content);
  const images: EncodedImage[] = [];
  report('exporting layers', 0);
  for (const { image } of result.images) {
    images.push(encodeImage(store === undefined ? image : await compressed(image, compression, from, store, signal)));
  }
  report('exporting layers', 0, 0);
  for (const { manifest, config } of images) {
    report(`exporting manifest ${manifest.descriptor.digest}`, 0, 0);
    report(`exporting config ${config.descriptor.digest}`, 0, 0);
  }
  const index = images.length === 1 ? undefined : indexOf(result, images);
  const documents = [...images.flatMap(({ config, manifest }) => [config, manifest]), ...(index === undefined ? [] : [index])];
  const root = documents.at(-1)?.descriptor;
  if (root === undefined) throw new Error('There is no image to export');
  const layers = unique(images.flatMap((image) => image.layers.map((layer) => layer.descriptor)));
  return { root, images, documents, layers, content: withDocuments(documents, from) };
}

/**
 * The only image of a result.
 * @throws TbuildError UNSUPPORTED when it has several, naming what cannot hold them.
 */
export function onlyImage<T>(images: readonly T[], format: string, hint: string): T {
  const [image] = images;
  if (images.length === 1 && image !== undefined) return image;
  throw new TbuildError('UNSUPPORTED', `${format} holds the image of one platform, not of ${images.length}`, { hint });
}

/** One after the other: compressing a single layer already keeps every core busy. */
async function compressed(
  image: Image,
  compression: LayerCompression,
  from: Provider,
  store: VariantStore,
  signal: AbortSignal,
): Promise<Image> {
  const layers = [];
  for (const layer of image.layers) layers.push(await compressLayer(layer, compression, { from, store, signal }));
  return { ...image, layers };
}

function indexOf(result: Exportable, images: readonly EncodedImage[]): EncodedDocument {
  return encodeIndex(
    images.map(({ manifest }, at) => ({ ...manifest.descriptor, platform: result.images[at]?.image.platform })),
  );
}

function unique(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}

function firstOf(first: Provider, second: Provider): Provider {
  return {
    has: async (digest) => (await first.has(digest)) || second.has(digest),
    read: async (target, signal) => ((await first.has(target.digest)) ? first : second).read(target, signal),
  };
}

function withDocuments(documents: readonly EncodedDocument[], layers: Provider): Provider {
  const bytesOf = new Map<Digest, Uint8Array>(documents.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  return {
    has: async (digest) => bytesOf.has(digest) || layers.has(digest),
    async read(target, signal) {
      const bytes = bytesOf.get(target.digest);
      return bytes === undefined ? layers.read(target, signal) : once(bytes);
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
