import type { TreeEntry } from './file-tree.ts';

/** One entry below a selected directory. */
export interface SelectedFile {
  /** Path relative to the selected directory. */
  readonly relative: string;
  readonly entry: TreeEntry;
}

/** What one source of a COPY, or one match of its pattern, stands for. */
export interface SelectedSource {
  /** The source or pattern as given. */
  readonly pattern: string;
  /** Last element of the matched path as written (not of a link's target): the file's name in a destination directory. */
  readonly name: string;
  /** The entry after following links inside the tree. */
  readonly entry: TreeEntry;
  /** With `parents`: the directories (with their entries) to keep below the destination, outermost first. */
  readonly parents: readonly SelectedFile[];
  /** For a directory: everything below it, parents before children, bytewise sorted, after `exclude`. */
  readonly files: readonly SelectedFile[];
}

export interface SelectOptions {
  /** Cleaned paths or Go patterns relative to the tree's root; empty string is the root itself. */
  readonly sources: readonly string[];
  /** Docker ignore patterns relative to each source. */
  readonly exclude?: readonly string[];
  readonly parents?: boolean;
}
