import type { Hash } from 'node:crypto';
import type { EntryColumns } from './entry-table.ts';
import type { FileStat, TreeEntry } from './file-tree.ts';

/** One entry below a selected directory. */
export interface SelectedFile {
  /** Path relative to the selected directory. */
  readonly relative: string;
  readonly entry: TreeEntry;
  /** A directory that is there only because it leads to something selected. */
  readonly implied?: boolean;
}

/** What is selected below a directory, to go through as often as one likes. There may be very many, so none is kept as an object. */
export interface SelectedFiles extends Iterable<SelectedFile> {
  readonly length: number;
  /** What all but the directories have together. */
  readonly bytes: number;
  /** Feeds to a hash where the files are and all that lstat told of them. */
  addTo(hash: Hash): void;
  /** Whether the attributes of every entry pass the test. */
  every(test: (stats: FileStat) => boolean): boolean;
  /** All of it as data that another thread can be sent. */
  columns(): SelectedColumns;
}

/** See {@link SelectedFiles.columns}. */
export interface SelectedColumns {
  readonly top: string;
  readonly bytes: number;
  readonly entries: EntryColumns;
}

/** What one source of a COPY, or one match of its pattern, stands for. */
export interface SelectedSource {
  /** The source or pattern as given. */
  readonly pattern: string;
  /** Last element of the matched path as written (not of a link's target): the file's name in a destination directory. */
  readonly name: string;
  /** The entry after following links inside the tree. */
  readonly entry: TreeEntry;
  /** For a directory: what is selected below it, parents before children, bytewise sorted, after `exclude`. */
  readonly files: SelectedFiles;
}

export interface SelectOptions {
  /** Cleaned paths or Go patterns relative to the tree's root; empty string is the root itself. */
  readonly sources: readonly string[];
  /** Docker ignore patterns relative to each source. */
  readonly exclude?: readonly string[];
  /** Select from the root, or what stands before `/./`, with the directories that lead to each match. */
  readonly parents?: boolean;
}
