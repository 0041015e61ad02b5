import type { LintWarning } from '@tbuild/dockerfile';
import type { ImageDigests } from '@tbuild/exporter';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';

/** What a build made. */
export interface BuildResult {
  /** One a platform. */
  readonly images: readonly ({ readonly platform: Platform } & ImageDigests)[];
  /** Config digest of one image, or digest of the index of several. */
  readonly id: Digest;
  /** The manifest or index that was pushed, or else the first that an output made. */
  readonly manifest?: Descriptor;
  /** Full references that the image was given. */
  readonly names: readonly string[];
  /** Where it went, one for each output, for people. */
  readonly destinations: readonly string[];
  readonly warnings: readonly LintWarning[];
}
