import type { CooperativeTask } from '@tbuild/concurrency';

/** What an entry gets besides its content. */
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

/** Where a file's bytes come from. */
export type FileBytes =
  | { readonly location: string }
  | { readonly bytes: Uint8Array }
  /** Chunks are valid only until the next one is asked for. */
  | { readonly chunks: Iterable<Uint8Array> };

/** A file that was written before with the same bytes. */
export interface WrittenFile {
  /** In a tree that nobody writes any more; for a writer of layers, its path in the earlier layer. */
  readonly location: string;
  /** Those that it shall have; in a tree it has them. */
  readonly attributes: Attributes;
  readonly size: number;
}

/** A regular file whose bytes come one buffer after the other. */
export interface FileSink {
  /** Long runs of zeros become holes. */
  write(bytes: Uint8Array): void;
  /** Sets the attributes; the file is complete. */
  close(): void;
}

/**
 * Writes into a tree without mounting it: `upper` on top of `lowers`. A directory that only the lowers
 * have is made in `upper` with the same attributes as soon as something is written below it; what hides
 * something in the lowers becomes a whiteout or an opaque directory. Paths are relative to the
 * tree's root, cleaned and already free of symbolic links in their parents.
 *
 * @throws TbuildError SNAPSHOT when a parent is not a directory or the disk is full.
 */
export interface TreeWriter {
  /** Makes missing directories of `path`, itself included; those that exist stay as they are. */
  ensureDirectory(path: string, attributes: Attributes): void;
  /** Makes the directory or gives an existing one these attributes; anything else there is replaced. */
  directory(path: string, attributes: Attributes): void;
  /** Writes a regular file, replacing what is there (a directory is replaced too). Returns bytes written. */
  file(path: string, attributes: Attributes, source: FileBytes): number;
  /** As `file`, with the bytes of a large one. */
  copy(path: string, attributes: Attributes, location: string): CooperativeTask<number>;
  /** As `file`, for bytes that come over time. The caller closes it, also after a failure. */
  open(path: string, attributes: Attributes): FileSink;
  symlink(path: string, attributes: Attributes, target: string): void;
  /** Character or block device, FIFO or socket: `type` is the file type bits of the mode, `device` st_rdev. */
  special(path: string, attributes: Attributes, type: number, device: number): void;
  /** A hard link to a file of this tree; one that only the lowers have is copied up first. */
  link(path: string, existing: string): void;
  /** Makes a file that was written before a file of this tree too. False when that cannot be; then nothing is at `path`. */
  share(path: string, file: WrittenFile): boolean;
  /** What is not there is success. */
  remove(path: string): void;
  /** Hides what the lowers have in the directory `path`; what `upper` has there stays. Not for the root. */
  opaque(path: string): void;
  /** Sets the times of directories, which writing below them changed. Call once, at the end. */
  finish(): void;
}
