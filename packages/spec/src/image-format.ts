import type { LayerCompression, Platform } from '@tbuild/oci';

/** How an image is encoded. */
export interface ImageFormat {
  /** The form of layers that are uncompressed. Each kind of output has its own default. */
  readonly compression?: LayerCompression;
  /** 0 (none) to 9 for gzip, to 22 for zstd. */
  readonly compressionLevel?: number;
  /** Compress layers again that have another form, such as those of the base image. */
  readonly forceCompression?: boolean;
  /** Defaults to `oci`, which annotations need. */
  readonly mediaTypes?: 'oci' | 'docker';
  readonly annotations?: readonly Annotation[];
  /**
   * Write attestations as OCI artifacts whose `subject` is their image, so that registries list them as its referrers.
   * Defaults to true, except with Docker's media types.
   */
  readonly attestationArtifact?: boolean;
  /** Lower the times of files in new layers to `SOURCE_DATE_EPOCH`, when that is set. */
  readonly rewriteTimestamp?: boolean;
}

/** An annotation of an image: in its manifest, in the index, or in a descriptor that points at one of them. */
export interface Annotation {
  readonly on: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** The platform whose image it is for. Defaults to all. */
  readonly platform?: Platform;
  readonly name: string;
  readonly value: string;
}

/** Names that an image gets in the store beside those that the user asked for. */
export interface StoredNames {
  /** Add each name once more, with the digest. */
  readonly nameCanonical?: boolean;
  /** Add a name that is this prefix and the digest. */
  readonly danglingPrefix?: string;
  /** Add that name only to an image that has no other. */
  readonly danglingEmptyOnly?: boolean;
}
