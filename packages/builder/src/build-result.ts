import type { LintWarning } from '@tbuild/dockerfile';
import type { ImageDigests } from '@tbuild/exporter';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';

/** SLSA provenance v0.2 of an image, with everything that is known about its build. */
export interface RecordedProvenance {
  readonly platform: Platform;
  readonly predicate: object;
}

/** The images that a build made. */
export interface BuildResult {
  /** The name of the build, as `createBuildRef` makes it. */
  readonly ref: string;
  /** One per platform. */
  readonly images: readonly ({ readonly platform: Platform } & ImageDigests)[];
  /** Config digest of a single image, or digest of the index. */
  readonly id: Digest;
  /** The pushed manifest or index, or else the first that an output made. */
  readonly manifest?: Descriptor;
  /** Full references given to the image. */
  readonly names: readonly string[];
  /** Human-readable destinations, one per output. */
  readonly destinations: readonly string[];
  /** The provenance of each image, if the caller asked for it. */
  readonly provenance?: readonly RecordedProvenance[];
  /** The SPDX documents of the images, when attestations ask for them. */
  readonly sboms: readonly object[];
  readonly warnings: readonly LintWarning[];
}
