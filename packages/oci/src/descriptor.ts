import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** Identifies content to fetch and verify ("OCI Content Descriptors"). */
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

/** A layer of an image: its blob, and the digest of the uncompressed bytes. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}
