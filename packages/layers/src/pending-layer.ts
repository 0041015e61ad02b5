import type { Layer } from '@tbuild/oci';

/** A layer of an image that is being built. */
export interface PendingLayer {
  /** Undefined if the layer could not be made. */
  readonly layer: Promise<Layer | undefined>;
  /**
   * The uncompressed bytes while the layer is being written. Iteration fails if the layer cannot be made. A chunk is
   * valid until the next one is requested.
   */
  readonly bytes?: AsyncIterable<Uint8Array>;
}
