import type { FileHasher, TreeEntry } from '@tbuild/context';
import type { CopyOp } from '@tbuild/graph';
import type { WrittenFiles } from './earlier-copy.ts';

/** A numeric user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The part of a CopyOp that decides where and how files are written. With `keepOwner`, files keep their owner and
 * extended attributes; otherwise root owns them.
 */
export type CopyTarget = Pick<CopyOp, 'destination' | 'chmod' | 'keepOwner'>;

/** Options common to copying files and writing heredocs. */
export interface PlacementOptions {
  /** Owner of every entry written. Undefined for root, or for the files' own owners with `keepOwner`. */
  readonly owner?: Owner;
  /**
   * The time of what has no time of its own, in milliseconds since the epoch: implied directories, existing directories
   * in which an entry is made, heredocs, and a directory that takes the contents of a whole tree.
   */
  readonly now: number;
}

export interface CopyOptions extends PlacementOptions {
  /** The hasher that keyed the selection. It knows the digests that files had then. */
  readonly hasher: FileHasher;
  /** Digests a file that was not read yet and returns its bytes, see `StatIndex`. */
  readonly digestOnce?: (entry: TreeEntry) => Uint8Array | undefined;
  /** Files to share instead of writing them again. */
  readonly written?: WrittenFiles;
}
