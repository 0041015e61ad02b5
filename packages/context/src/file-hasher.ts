import { hash as hashOnce, createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { createHoleReader } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import type { FileStat, TreeEntry } from './file-tree.ts';

/** Digests of files' bytes, remembered for as long as the hasher lives. */
export interface FileHasher {
  /** @throws TbuildError CONTEXT when the file cannot be read. */
  digest(entry: TreeEntry): Digest;
  /** What `digest` last gave for this entry, without reading anything. */
  known(entry: TreeEntry): Digest | undefined;
  /** Whether the file would show by its stats that it is not any more what `digest` last gave. */
  isSettled(entry: TreeEntry): boolean;
}

/** A hasher that reads each file, but a file with several names once; for files that nobody writes to. */
export function createFileHasher(): FileHasher {
  const digests = new Map<string, Digest>();
  const hash = createLinkAwareHash();
  return {
    digest(entry) {
      const { digest } = hash(entry);
      digests.set(entry.location, digest);
      return digest;
    },
    known: (entry) => digests.get(entry.location),
    isSettled: () => true,
  };
}

export interface HashedFile {
  readonly digest: Digest;
  /** As the open file had them after its last byte was read. */
  readonly stats: FileStat;
}

/** `hashFile` that reads a file with several names once. */
export function createLinkAwareHash(): (entry: TreeEntry) => HashedFile {
  const links = new Map<string, HashedFile>();
  return ({ location, stats }) => {
    if (stats.nlink === 1) return hashFile(location);
    const inode = `${stats.dev}:${stats.ino}:${stats.ctimeMs}`;
    let hashed = links.get(inode);
    if (hashed === undefined) links.set(inode, (hashed = hashFile(location)));
    return hashed;
  };
}

const BUFFER_SIZE = 1 << 18;
/** A file that became a FIFO or a link since it was listed must neither block nor lead elsewhere. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
let buffer: Buffer | undefined;

/** @throws TbuildError CONTEXT when the file cannot be read. */
function hashFile(location: string): HashedFile {
  try {
    const file = openSync(location, OPEN_FLAGS);
    try {
      return hashOpenFile(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new TbuildError('CONTEXT', `Cannot read ${JSON.stringify(location)}`, { cause: error });
  }
}

function hashOpenFile(file: number): HashedFile {
  const chunk = (buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE));
  let size = readSync(file, chunk, 0, BUFFER_SIZE, null);
  const stats = fstatSync(file);
  if (size === stats.size) return { digest: `sha256:${hashOnce('sha256', chunk.subarray(0, size), 'hex')}`, stats };
  const hash = createHash('sha256').update(chunk.subarray(0, size));
  const read = createHoleReader(file, stats, size);
  while ((size = read(chunk, 0, BUFFER_SIZE)) > 0) hash.update(chunk.subarray(0, size));
  return { digest: `sha256:${hash.digest('hex')}`, stats: fstatSync(file) };
}
