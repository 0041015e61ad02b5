import { configDocument } from './config-document.ts';
import type { Descriptor, Layer } from './descriptor.ts';
import { digestOf, type Digest } from './digest.ts';
import { goJson } from './go-json.ts';
import type { Image } from './image.ts';
import { indexStruct, manifestStruct } from './manifest-structs.ts';
import { isIndex, type Index, type Manifest } from './manifest.ts';
import { MediaType } from './media-types.ts';

/** A document and its descriptor. */
export interface EncodedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface EncodedImage {
  readonly manifest: EncodedDocument;
  readonly config: EncodedDocument;
  readonly layers: readonly Layer[];
}

const DOCKER_TYPES: Readonly<Record<string, string>> = {
  [MediaType.layer]: MediaType.dockerLayer,
  [MediaType.layerGzip]: MediaType.dockerLayerGzip,
  [MediaType.layerZstd]: MediaType.dockerLayerZstd,
};

const OCI_TYPES = Object.fromEntries(Object.entries(DOCKER_TYPES).map(([oci, docker]) => [docker, oci]));

/**
 * Encodes the configuration and manifest documents of an image, with the bytes that BuildKit writes. The same image always
 * gives the same bytes.
 */
export function encodeImage(image: Image, mediaTypes: 'oci' | 'docker' = 'oci'): EncodedImage {
  const docker = mediaTypes === 'docker';
  const configType = docker ? MediaType.dockerConfig : MediaType.config;
  const config = describeBytes(configType, image.document ?? Buffer.from(goJson(configDocument(image))));
  const types = docker ? DOCKER_TYPES : OCI_TYPES;
  const layers = image.layers.map(({ descriptor: { annotations, ...descriptor }, diffId }) => ({
    descriptor: {
      ...descriptor,
      mediaType: types[descriptor.mediaType] ?? descriptor.mediaType,
      ...(docker || annotations === undefined ? {} : { annotations }),
    },
    diffId,
  }));
  const manifest = encodeDocument({
    schemaVersion: 2,
    mediaType: docker ? MediaType.dockerManifest : MediaType.manifest,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    annotations: image.annotations,
  });
  return { manifest, config, layers };
}

/** Encodes a manifest or an index. */
export function encodeDocument(document: Manifest | Index): EncodedDocument {
  const struct = isIndex(document) ? indexStruct(document) : manifestStruct(document);
  return describeBytes(document.mediaType, Buffer.from(goJson(struct, { indent: '  ' })));
}

export interface IndexOptions {
  readonly mediaTypes?: 'oci' | 'docker';
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Encodes an index of image manifests. Each descriptor should have its platform. */
export function encodeIndex(
  manifests: readonly Descriptor[],
  { mediaTypes = 'oci', annotations }: IndexOptions = {},
): EncodedDocument {
  const mediaType = mediaTypes === 'docker' ? MediaType.dockerIndex : MediaType.index;
  return encodeDocument({ schemaVersion: 2, mediaType, manifests, annotations });
}

/** Returns the chain ID of a stack of layers ("Layer ChainID"); undefined for no layers. */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (parent, diffId) => (parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)),
    undefined,
  );
}

/** "Guidance for an Empty Descriptor": the document where a manifest has to have one that nobody needs. */
export const EMPTY_DOCUMENT = describeBytes(MediaType.empty, Buffer.from('{}'));

/** Describes the bytes of a document. */
export function describeBytes(mediaType: string, bytes: Uint8Array): EncodedDocument {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
