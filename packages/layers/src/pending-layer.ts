import type { Layer } from '@tbuild/oci';

/** A layer of an image that is being built. */
export interface PendingLayer {
  /** Undefined when nothing came of it. */
  readonly layer: Promise<Layer | undefined>;
  /**
   * While it is being written: its uncompressed bytes, as they come. They fail when nothing comes of it. A chunk is valid until the
   * next one is asked for.
   */
  readonly bytes?: AsyncIterable<Uint8Array>;
}
