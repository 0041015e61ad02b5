import { hash as hashOnce, createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { createHoleReader } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import type { FileStat, TreeEntry } from './file-tree.ts';
import { typeOf } from './file-type.ts';

/** Digests of files' bytes, remembered for as long as the hasher lives. */
export interface FileHasher {
  /** @throws TbuildError CONTEXT when the file cannot be read. */
  digest(entry: TreeEntry): Digest;
  /** Reads a file that {@link isLarge}, so that `digest` need not. */
  readLarge(entry: TreeEntry): CooperativeTask;
  /** What `digest` last gave for this entry, without reading anything. */
  known(entry: TreeEntry): Digest | undefined;
  /** Whether the file would show by its stats that it is not any more what `digest` last gave. */
  hasStableStat(entry: TreeEntry): boolean;
}

/** A hasher that reads each file, but a file with several names once; for files that nobody writes to. */
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
  /** As the open file had them after its last byte was read. */
  readonly stats: FileStat;
}

/** `hashFile` that reads a file with several names once, and a large one in pieces if told before. */
export interface FileHash {
  of(entry: TreeEntry): HashedFile;
  readLarge(entry: TreeEntry): CooperativeTask;
}

/** Bytes that take some milliseconds to read. */
const LARGE = 1 << 22;

/** Whether a file takes so long to read that others should have their turn meanwhile. */
export function isLarge({ stats }: TreeEntry): boolean {
  return stats.size > LARGE && typeOf(stats) === 'file';
}

export function createFileHash(): FileHash {
  const read = new Map<string, HashedFile>();
  const inodeOf = ({ dev, ino, ctimeMs }: FileStat): string => `${dev}:${ino}:${ctimeMs}`;
  return {
    of(entry) {
      const { location, stats } = entry;
      if (stats.nlink === 1 && !isLarge(entry)) return runSync(hashFile(location));
      const inode = inodeOf(stats);
      let hashed = read.get(inode);
      if (hashed === undefined) read.set(inode, (hashed = runSync(hashFile(location))));
      return hashed;
    },
    *readLarge({ location, stats }) {
      const inode = inodeOf(stats);
      if (!read.has(inode)) read.set(inode, yield* hashFile(location));
    },
  };
}

const BUFFER_SIZE = 1 << 18;
/** A file that became a FIFO or a link since it was listed must neither block nor lead elsewhere. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
let buffer: Buffer | undefined;

/** @throws TbuildError CONTEXT when the file cannot be read. */
function* hashFile(location: string): CooperativeTask<HashedFile> {
  try {
    const file = openSync(location, OPEN_FLAGS);
    try {
      return yield* hashOpenFile(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new TbuildError('CONTEXT', `Cannot read ${JSON.stringify(location)}`, { cause: error });
  }
}

function* hashOpenFile(file: number): CooperativeTask<HashedFile> {
  const chunk = (buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE));
  let size = readSync(file, chunk, 0, BUFFER_SIZE, null);
  const stats = fstatSync(file);
  if (size === stats.size) return { digest: `sha256:${hashOnce('sha256', chunk.subarray(0, size), 'hex')}`, stats };
  const hash = createHash('sha256').update(chunk.subarray(0, size));
  const read = createHoleReader(file, stats, size);
  while ((size = read(chunk, 0, BUFFER_SIZE)) > 0) {
    hash.update(chunk.subarray(0, size));
    yield;
  }
  return { digest: `sha256:${hash.digest('hex')}`, stats: fstatSync(file) };
}
