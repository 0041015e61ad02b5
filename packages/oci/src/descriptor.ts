import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** What is needed to fetch and check some bytes ("OCI Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly data?: string;
}

/** A layer of an image: its blob, and the digest of the same bytes uncompressed. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}
