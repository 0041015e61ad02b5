import type { CooperativeTask } from '@tbuild/concurrency';
import type { LayeredTree } from './layered-entry.ts';

/** The attributes of an entry. */
export interface Attributes {
  /** Permission bits, setuid, setgid and sticky (12 bits). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since the epoch, fractions allowed. */
  readonly mtimeMs: number;
  /** Extended attributes by full name, e.g. `security.capability`. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** The source of a file's bytes. */
export type FileBytes =
  /** A file with so many bytes. If it has others, the caller finds out and writes it again. */
  | { readonly location: string; readonly size: number }
  | { readonly bytes: Uint8Array }
  /** Each chunk is valid only until the next one is requested. */
  | { readonly chunks: Iterable<Uint8Array> };

/** A device, FIFO or socket. */
export interface SpecialFile {
  /** The file type bits of its mode. */
  readonly type: number;
  /** Its st_rdev. */
  readonly device: number;
}

/** A file written earlier with the same bytes. */
export interface WrittenFile {
  /** Its path in a tree that no longer changes; for a writer of layers, its path in the earlier layer. */
  readonly location: string;
  /** The attributes that it shall have; in a tree it has them already. */
  readonly attributes: Attributes;
  readonly size: number;
}

/** A regular file whose bytes arrive buffer by buffer. */
export interface FileSink {
  /** Long runs of zeros become holes. */
  write(bytes: Uint8Array): void;
  /** Completes the file and sets its attributes. */
  close(): void;
}

/**
 * Writes into a tree without mounting it: into `upper` on top of `lowers`. Writing below a directory that only the
 * lowers have first copies the directory up with its attributes. Removing or replacing something in the lowers leaves
 * a whiteout or an opaque directory. Paths are relative to the root of the tree, clean, and free of symbolic links in
 * their parents.
 *
 * @throws TbuildError SNAPSHOT if a parent is not a directory or the disk is full.
 */
export interface TreeWriter {
  /** Makes the directories of `path` that are missing, including the last; existing ones stay as they are. */
  ensureDirectory(path: string, attributes: Attributes): void;
  /** Makes the directory, or sets the attributes of an existing one; replaces anything else. */
  directory(path: string, attributes: Attributes): void;
  /** Writes a regular file and replaces what is there, even a directory. Returns the number of bytes written. */
  file(path: string, attributes: Attributes, source: FileBytes): number;
  /** The same as `file`, for the bytes of a large file. */
  copy(path: string, attributes: Attributes, location: string): CooperativeTask<number>;
  /** The same as `file`, for bytes that arrive over time. The caller must close it, also after a failure. */
  open(path: string, attributes: Attributes): FileSink;
  symlink(path: string, attributes: Attributes, target: string): void;
  /** Makes a character or block device, FIFO or socket. */
  special(path: string, attributes: Attributes, node: SpecialFile): void;
  /**
   * Makes a hard link to a file of this tree. A file that only the lowers have is copied up first. With `attributes`,
   * the file gets them, under all its names.
   */
  link(path: string, existing: string, attributes?: Attributes): void;
  /** Links an earlier file into this tree. Returns false if that is impossible; then nothing is at `path`. */
  share(path: string, file: WrittenFile): boolean;
  /** Sets the time of an existing directory, as making an entry in it does. Not for the root. */
  touch(path: string, mtimeMs: number): void;
  /** Removes the entry. Succeeds if there is none. */
  remove(path: string): void;
  /** Hides the entries of the lowers in the directory `path`; those of `upper` stay. Not for the root. */
  opaque(path: string): void;
  /** Sets the times of directories, which change while files are written into them. Call it once, at the end. */
  finish(): void;
}

/** A writer that also reads its tree. It remembers directories, so that a deep path costs one lookup. */
export type ReadableTreeWriter = TreeWriter & Pick<LayeredTree, 'stat'>;
