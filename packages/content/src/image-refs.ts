import type { Descriptor, Reference } from '@tbuild/oci';

/** A name in the store, and what it stands for. */
export interface ImageRef {
  readonly reference: Reference;
  readonly target: Descriptor;
}

/** The names of images in a store: a small mutable map onto the immutable blobs. */
export interface ImageRefs {
  /** All names, sorted by their full form. */
  list(): readonly ImageRef[];
  get(reference: Reference): Descriptor | undefined;
  /** Makes the name stand for `target`; all its blobs should be there before. */
  set(reference: Reference, target: Descriptor): void;
  /** Forgets the name; the blobs stay. Whether it was there. */
  remove(reference: Reference): boolean;
}
