import type { Digest, Platform } from '@tbuild/oci';
import type { Pruned, PruneOptions, UsedSpace } from './answers.ts';
import { ask, type StoreOptions } from './call-program.ts';

/** An image of the store under one of its names, if it has any; of an index, the image for this machine. */
export interface ImageInfo {
  /** Full; undefined for an image without a name. */
  readonly name?: string;
  readonly id: Digest;
  /** Of its manifest or index. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** As in its configuration. */
  readonly created?: string;
  /** Of its layers, uncompressed, in bytes. */
  readonly size: number;
}

/** The images of the store: by name, then those without a name, the newest first. */
export async function images(options?: StoreOptions): Promise<readonly ImageInfo[]> {
  return (await ask('images', {}, options)) as readonly ImageInfo[];
}

/**
 * Removes a name, or an image that has none; `prune` frees what only it held. Gives the names that were removed.
 * @throws BuildError NOT_FOUND; USAGE for an ID with several names, unless forced.
 */
export async function removeImage(
  image: string,
  options?: StoreOptions & { readonly force?: boolean },
): Promise<readonly string[]> {
  return (await ask('removeImage', { image }, options)) as readonly string[];
}

/** Removes build cache; named images stay, and what running builds use. Without options, what nothing refers to. */
export async function prune(options?: StoreOptions & PruneOptions): Promise<Pruned> {
  return (await ask('prune', {}, options)) as Pruned;
}

/** All that the store holds on disk; what several rows share is counted once. */
export async function diskUsage(options?: StoreOptions): Promise<readonly UsedSpace[]> {
  return (await ask('diskUsage', {}, options)) as readonly UsedSpace[];
}
