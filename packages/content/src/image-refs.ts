import type { Descriptor, Digest, Reference } from '@tbuild/oci';

/** A name in the store, and what it stands for. */
export interface ImageRef {
  readonly reference: Reference;
  readonly target: Descriptor;
}

/** An image that the store keeps although it has no name. */
export interface UnnamedImage {
  readonly target: Descriptor;
  /** When it was last stored, in milliseconds since the epoch. */
  readonly keptAt: number;
}

/** The images of a store and their names: a small mutable map onto the immutable blobs. */
export interface ImageRefs {
  /** All names, sorted by their full form. */
  list(): readonly ImageRef[];
  get(reference: Reference): Descriptor | undefined;
  /** Makes the name stand for `target`; all its blobs should be there before. */
  set(reference: Reference, target: Descriptor): void;
  /** Forgets the name; the blobs stay. Whether it was there. */
  remove(reference: Reference): boolean;
  /** All images without a name, the newest first. */
  unnamed(): readonly UnnamedImage[];
  /** Keeps an image without a name until `set` names it or `drop` removes it. Does nothing for an image that has a name. */
  keep(target: Descriptor): void;
  /** Stops keeping an image without a name; the blobs stay. Whether it was there. */
  drop(digest: Digest): boolean;
}
