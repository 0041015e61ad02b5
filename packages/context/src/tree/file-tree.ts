import type { Stats } from 'node:fs';

/** The members of `lstat` that are kept, because a context may have hundreds of thousands of entries. */
export type FileStat = Pick<
  Stats,
  'mode' | 'uid' | 'gid' | 'size' | 'ino' | 'dev' | 'nlink' | 'rdev' | 'mtimeMs' | 'ctimeMs'
>;

/** One entry of a tree with its attributes, read without following a link. */
export interface TreeEntry {
  readonly name: string;
  /** Path inside the tree, `/`-separated, without leading slash; empty for the root. */
  readonly path: string;
  /** The path on disk. */
  readonly location: string;
  readonly stats: FileStat;
}

/**
 * A directory tree to read from: a plain directory, a context with its ignore rules, or a snapshot's stack of layers.
 * Synchronous, because one promise for each file would cost more than the file.
 */
export interface FileTree {
  /** Returns the entry itself. Returns undefined if it is missing or a parent is a symbolic link. */
  stat(path: string): TreeEntry | undefined;
  /** Returns the entries of a directory, sorted by the bytes of their names. */
  list(path: string): readonly TreeEntry[];
  /** Returns a hint for users when the tree itself hides a path. */
  explainMissing?(path: string): string | undefined;
}
