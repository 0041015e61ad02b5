import type { Descriptor, Layer } from './descriptor.ts';
import { digestOf, type Digest } from './digest.ts';
import type { HistoryEntry } from './image-config.ts';
import type { Index, Manifest } from './manifest.ts';
import { MediaType } from './media-types.ts';
import type { Platform } from './platform.ts';
import type { RuntimeConfig } from './runtime-config.ts';

/** A finished image as a value. */
export interface Image {
  readonly platform: Platform;
  readonly config: RuntimeConfig;
  readonly layers: readonly Layer[];
  readonly history: readonly HistoryEntry[];
  readonly author?: string;
  /** RFC 3339. */
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** An encoded build cache that the configuration carries. */
  readonly inlineCache?: string;
  /** An existing configuration document, which is kept byte for byte. */
  readonly document?: Uint8Array;
}

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

/** The member of a configuration that holds an inline build cache. */
export const INLINE_CACHE_MEMBER = 'tbuild.cache.v1';

const DOCKER_TYPES: Readonly<Record<string, string>> = {
  [MediaType.layer]: MediaType.dockerLayer,
  [MediaType.layerGzip]: MediaType.dockerLayerGzip,
  [MediaType.layerZstd]: MediaType.dockerLayerZstd,
};

const OCI_TYPES = Object.fromEntries(Object.entries(DOCKER_TYPES).map(([oci, docker]) => [docker, oci]));

/**
 * Encodes the configuration and manifest documents of an image. The same image always gives the same bytes: keys are
 * in the order of Docker's builder.
 */
export function encodeImage(image: Image, mediaTypes: 'oci' | 'docker' = 'oci'): EncodedImage {
  const docker = mediaTypes === 'docker';
  const configType = docker ? MediaType.dockerConfig : MediaType.config;
  const config =
    image.document === undefined
      ? encodeDocument(configType, configDocument(image))
      : describeBytes(configType, image.document);
  const types = docker ? DOCKER_TYPES : OCI_TYPES;
  const layers = image.layers.map(({ descriptor, diffId }) => ({
    descriptor: { ...descriptor, mediaType: types[descriptor.mediaType] ?? descriptor.mediaType },
    diffId,
  }));
  const document: Manifest = {
    schemaVersion: 2,
    mediaType: docker ? MediaType.dockerManifest : MediaType.manifest,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    ...(image.annotations && Object.keys(image.annotations).length > 0 ? { annotations: image.annotations } : {}),
  };
  const manifest = encodeDocument(document.mediaType, document);
  return { manifest, config, layers };
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
  const document: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes === 'docker' ? MediaType.dockerIndex : MediaType.index,
    manifests,
    ...(annotations === undefined ? {} : { annotations }),
  };
  return encodeDocument(document.mediaType, document);
}

/** Returns the chain ID of a stack of layers ("Layer ChainID"); undefined for no layers. */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (parent, diffId) => (parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)),
    undefined,
  );
}

function configDocument(image: Image): object {
  const { platform } = image;
  return {
    architecture: platform.architecture,
    ...(image.author === undefined ? {} : { author: image.author }),
    config: orderedConfig(image.config),
    ...(image.created === undefined ? {} : { created: image.created }),
    history: image.history.map(orderedHistory),
    os: platform.os,
    ...(platform['os.version'] === undefined ? {} : { 'os.version': platform['os.version'] }),
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(image.inlineCache === undefined ? {} : { [INLINE_CACHE_MEMBER]: image.inlineCache }),
  };
}

const CONFIG_KEYS = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Healthcheck',
  'ArgsEscaped',
  'Volumes',
  'WorkingDir',
  'OnBuild',
  'Labels',
  'StopSignal',
  'Shell',
] as const satisfies readonly (keyof RuntimeConfig)[];

function orderedConfig(config: RuntimeConfig): object {
  const known = CONFIG_KEYS.flatMap((key) => (isEmpty(config[key]) ? [] : [[key, sortedMap(key, config[key])]]));
  return Object.fromEntries(known);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return !Array.isArray(value) && typeof value === 'object' && Object.keys(value).length === 0;
}

function sortedMap(key: keyof RuntimeConfig, value: unknown): unknown {
  const isMap = key === 'ExposedPorts' || key === 'Volumes' || key === 'Labels';
  if (!isMap || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function orderedHistory(entry: HistoryEntry): HistoryEntry {
  const { created, created_by, author, comment, empty_layer } = entry;
  return {
    ...(created === undefined ? {} : { created }),
    ...(created_by === undefined ? {} : { created_by }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(empty_layer === true ? { empty_layer } : {}),
  };
}

function encodeDocument(mediaType: string, document: object): EncodedDocument {
  return describeBytes(mediaType, Buffer.from(JSON.stringify(document)));
}

function describeBytes(mediaType: string, bytes: Uint8Array): EncodedDocument {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
