import type { Stats } from 'node:fs';

/** What is kept of an `lstat`: a context may have hundreds of thousands of entries. */
export type FileStat = Pick<
  Stats,
  'mode' | 'uid' | 'gid' | 'size' | 'ino' | 'dev' | 'nlink' | 'rdev' | 'mtimeMs' | 'ctimeMs'
>;

/** One entry of a tree, its attributes read already (never following a link). */
export interface TreeEntry {
  readonly name: string;
  /** Path inside the tree, `/`-separated, without leading slash; empty for the root. */
  readonly path: string;
  /** Where it is on disk, to open, read or link. */
  readonly location: string;
  readonly stats: FileStat;
}

/**
 * A directory tree to read from: a plain directory, a context with its ignore rules, or a snapshot's
 * stack of layers seen as one. Synchronous, since a promise a file would cost more than the file.
 */
export interface FileTree {
  /** The entry itself, or undefined; parents that are symbolic links are not followed and give undefined. */
  stat(path: string): TreeEntry | undefined;
  /** What a directory holds, sorted by the bytes of the names. */
  list(path: string): readonly TreeEntry[];
  /** Why a path is missing, for a user, when the tree itself hides it. */
  explainMissing?(path: string): string | undefined;
}
