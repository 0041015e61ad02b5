import type { Descriptor, Digest, Reference } from '@tbuild/oci';

/** A name in the store and its target. */
export interface ImageRef {
  readonly reference: Reference;
  readonly target: Descriptor;
}

/** An image without a name that the store keeps. */
export interface UnnamedImage {
  readonly target: Descriptor;
  /** When it was last stored, in milliseconds since the epoch. */
  readonly keptAt: number;
}

/** The names of a store's images: a small mutable map onto the immutable blobs. */
export interface ImageRefs {
  /** Returns all names, sorted by their full form. */
  list(): readonly ImageRef[];
  get(reference: Reference): Descriptor | undefined;
  /** Reports whether the name exists, perhaps damaged. */
  has(reference: Reference): boolean;
  /** Points each name to its target, whose blobs should exist. */
  set(refs: readonly ImageRef[]): void;
  /** Removes names and keeps the blobs. Returns those that existed. */
  remove(references: readonly Reference[]): readonly Reference[];
  /** Returns all images without a name, the newest first. */
  unnamed(): readonly UnnamedImage[];
  /** Keeps an image without a name until `set` names it or `drop` removes it. Does nothing for an image that has a name. */
  keep(target: Descriptor): void;
  /** Stops keeping images without a name. The blobs stay. Returns those that existed. */
  drop(digests: readonly Digest[]): readonly Digest[];
}
