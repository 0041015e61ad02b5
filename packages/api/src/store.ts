import type { Digest, Platform } from '@tbuild/oci';
import type { Pruned, PruneOptions, UsedSpace } from './answers.ts';
import { ask, type StoreOptions } from './call-program.ts';

/** An image of the store under one of its names, if it has any. Of an index, the image for this machine. */
export interface ImageInfo {
  /** The full reference; undefined for an image without a name. */
  readonly name?: string;
  readonly id: Digest;
  /** The digest of its manifest or index. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** As the configuration of the image says. */
  readonly created?: string;
  /** The size of its uncompressed layers, in bytes. */
  readonly size: number;
}

/** Returns the images of the store: by name, then those without a name, newest first. */
export async function images(options?: StoreOptions): Promise<readonly ImageInfo[]> {
  return (await ask('images', {}, options)) as readonly ImageInfo[];
}

/**
 * Removes a name, or an image that has none, and returns the removed names. `prune` frees what only the image held.
 * @throws BuildError NOT_FOUND; USAGE for an ID with several names, unless forced.
 */
export async function removeImage(
  image: string,
  options?: StoreOptions & { readonly force?: boolean },
): Promise<readonly string[]> {
  return (await ask('removeImage', { image }, options)) as readonly string[];
}

/**
 * Removes build cache, but neither named images nor what running builds use. Without options, removes what nothing
 * refers to.
 */
export async function prune(options?: StoreOptions & PruneOptions): Promise<Pruned> {
  return (await ask('prune', {}, options)) as Pruned;
}

/** Returns what the store holds on disk; files that several rows share are counted once. */
export async function diskUsage(options?: StoreOptions): Promise<readonly UsedSpace[]> {
  return (await ask('diskUsage', {}, options)) as readonly UsedSpace[];
}
