import type { LayerCompression, Platform } from '@tbuild/oci';

/** How an image is written down; plain data. */
export interface ImageFormat {
  /** How layers that are uncompressed should be compressed; each kind of place has its own default. */
  readonly compression?: LayerCompression;
  /** 0 (none) to 9 for gzip, to 22 for zstd. */
  readonly compressionLevel?: number;
  /** Layers that are compressed otherwise, such as the base's, are compressed anew. */
  readonly forceCompression?: boolean;
  /** `oci` unless given; annotations need `oci`. */
  readonly mediaTypes?: 'oci' | 'docker';
  readonly annotations?: readonly Annotation[];
  /**
   * Attestations are OCI artifacts, whose `subject` is their image, so that registries list them as its referrers;
   * so unless false or the media types are Docker's.
   */
  readonly attestationArtifact?: boolean;
  /** No file of a new layer is newer than `SOURCE_DATE_EPOCH`, when that is set. */
  readonly rewriteTimestamp?: boolean;
}

/** A word about an image: in its manifest, in the index, or where these are pointed at. */
export interface Annotation {
  readonly on: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** For this platform's image only. */
  readonly platform?: Platform;
  readonly name: string;
  readonly value: string;
}
