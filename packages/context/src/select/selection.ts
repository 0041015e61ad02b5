import type { Hash } from 'node:crypto';
import type { EntryColumns } from '../tree/entry-table.ts';
import type { FileStat, TreeEntry } from '../tree/file-tree.ts';

/** One entry below a selected directory. */
export interface SelectedFile {
  /** Path relative to the selected directory. */
  readonly relative: string;
  readonly entry: TreeEntry;
  /** Whether a directory is included only because it leads to a selected file. */
  readonly implied?: boolean;
}

/** The selected files below a directory. Objects are created while iterating, because there may be very many. */
export interface SelectedFiles extends Iterable<SelectedFile> {
  readonly length: number;
  /** The sum of the sizes of all entries except directories. */
  readonly bytes: number;
  /** Adds the paths and stats of all entries to a hash. */
  addTo(hash: Hash): void;
  /** Reports whether the attributes of every entry pass the test. */
  every(test: (stats: FileStat) => boolean): boolean;
  /** Returns the selection as data that can be sent to another thread. */
  columns(): SelectedColumns;
}

/** See {@link SelectedFiles.columns}. */
export interface SelectedColumns {
  readonly top: string;
  readonly bytes: number;
  readonly entries: EntryColumns;
}

/** The files that one source of a COPY, or one match of its pattern, names. */
export interface SelectedSource {
  /** The source or pattern as given. */
  readonly pattern: string;
  /** The last element of the matched path as written, not of a link's target: the file's name in a destination directory. */
  readonly name: string;
  /** The entry after links inside the tree are followed. */
  readonly entry: TreeEntry;
  /** For a directory: the selected files below it, parents before children, sorted by bytes. */
  readonly files: SelectedFiles;
}

export interface SelectOptions {
  /** Cleaned paths or Go patterns relative to the tree's root. The empty string is the root itself. */
  readonly sources: readonly string[];
  /** Docker ignore patterns relative to each source. */
  readonly exclude?: readonly string[];
  /** Selects from the root, or the part before `/./`, with the directories that lead to each match. */
  readonly parents?: boolean;
}
