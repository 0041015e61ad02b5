import type { FileHasher } from '@tbuild/context';
import type { CopyOp } from '@tbuild/graph';
import type { WrittenFiles } from './earlier-copy.ts';

/** A user and group by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The part of a CopyOp that decides where and how files are written. With `keepOwner` files keep owner
 * and extended attributes, otherwise they become root's and lose them.
 */
export type CopyTarget = Pick<CopyOp, 'destination' | 'chmod' | 'keepOwner'>;

/** What the files of any copy get. */
export interface PlacementOptions {
  /** Owner of everything written, instead of the files' own. */
  readonly owner?: Owner;
  /** Milliseconds since the epoch: the time of directories that no source stands for. */
  readonly now: number;
  /** Milliseconds since the epoch: the time of everything written, instead of the files' own. */
  readonly fixedTime?: number;
}

export interface CopyOptions extends PlacementOptions {
  /** The one that the selection was keyed with: it knows what the files were then. */
  readonly hasher: FileHasher;
  /** Files that are shared instead of written. */
  readonly written?: WrittenFiles;
}
