import { hash as hashOnce, createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import { createHoleReader } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import type { FileStat, TreeEntry } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';
import { unreadable } from '../tree/unreadable.ts';

/** Computes digests of files' bytes and remembers them as long as it lives. */
export interface FileHasher {
  /** @throws TbuildError CONTEXT when the file cannot be read. */
  digest(entry: TreeEntry): Digest;
  /** Reads a large file ({@link isLargeFile}) in pieces, so that `digest` does not read it. */
  readLarge(entry: TreeEntry): CooperativeTask;
  /** Returns the last result of `digest` for this entry, without reading anything. */
  known(entry: TreeEntry): Digest | undefined;
  /** Reports whether any change since `digest` would show in the file's stats. */
  hasStableStat(entry: TreeEntry): boolean;
}

/** Returns a hasher for files that no other program writes to. It reads a file with several names once. */
export function createFileHasher(): FileHasher {
  const digests = new Map<string, Digest>();
  const hash = createFileHash();
  return {
    digest(entry) {
      const { digest } = hash.of(entry);
      digests.set(entry.location, digest);
      return digest;
    },
    readLarge: (entry) => hash.readLarge(entry),
    known: (entry) => digests.get(entry.location),
    hasStableStat: () => true,
  };
}

export interface HashedFile {
  readonly digest: Digest;
  /** All bytes of a small file with one name, until the next file is hashed. */
  readonly bytes?: Uint8Array;
  /** Stats of the open file after its last byte was read. */
  readonly stats: FileStat;
}

/** Hashes files; reads a file with several names once, and a large file in pieces when `readLarge` is called first. */
export interface FileHash {
  of(entry: TreeEntry): HashedFile;
  readLarge(entry: TreeEntry): CooperativeTask;
}

/** Reading so many bytes takes some milliseconds. */
const LARGE = 1 << 22;

/** Reports whether reading a file takes so long that other work should run in between. */
export function isLargeFile({ stats }: TreeEntry): boolean {
  return stats.size > LARGE && typeOf(stats) === 'file';
}

export function createFileHash(): FileHash {
  const read = new Map<string, HashedFile>();
  // Not in the module: the snapshot that the program starts from would hold it.
  let buffer: Buffer | undefined;
  const hashFile = (location: string): CooperativeTask<HashedFile> =>
    hashFileWith((buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE)), location);
  const inodeOf = ({ dev, ino, ctimeMs }: FileStat): string => `${dev}:${ino}:${ctimeMs}`;
  return {
    of(entry) {
      const { location, stats } = entry;
      if (stats.nlink === 1 && !isLargeFile(entry)) return runSync(hashFile(location));
      const inode = inodeOf(stats);
      let hashed = read.get(inode);
      if (hashed === undefined) {
        const { digest, stats: found } = runSync(hashFile(location));
        read.set(inode, (hashed = { digest, stats: found }));
      }
      return hashed;
    },
    *readLarge({ location, stats }) {
      const inode = inodeOf(stats);
      if (!read.has(inode)) read.set(inode, yield* hashFile(location));
    },
  };
}

const BUFFER_SIZE = 1 << 18;

/** Reports whether a file is so small that it is hashed in one piece. */
export function isInOnePiece({ stats }: TreeEntry): boolean {
  return stats.size <= BUFFER_SIZE && typeOf(stats) === 'file';
}

/** A file that became a FIFO or a link since it was listed must neither block nor be followed. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** @throws TbuildError CONTEXT when the file cannot be read. */
function* hashFileWith(chunk: Buffer, location: string): CooperativeTask<HashedFile> {
  try {
    const file = openSync(location, OPEN_FLAGS);
    try {
      return yield* hashOpenFile(file, chunk);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(JSON.stringify(location), error);
  }
}

function* hashOpenFile(file: number, chunk: Buffer): CooperativeTask<HashedFile> {
  let size = readSync(file, chunk, 0, BUFFER_SIZE, null);
  const stats = fstatSync(file);
  if (size === stats.size) {
    const bytes = chunk.subarray(0, size);
    return { digest: `sha256:${hashOnce('sha256', bytes, 'hex')}`, bytes, stats };
  }
  const hash = createHash('sha256').update(chunk.subarray(0, size));
  const read = createHoleReader(file, stats, size);
  while ((size = read(chunk, 0, BUFFER_SIZE)) > 0) {
    hash.update(chunk.subarray(0, size));
    yield;
  }
  return { digest: `sha256:${hash.digest('hex')}`, stats: fstatSync(file) };
}
