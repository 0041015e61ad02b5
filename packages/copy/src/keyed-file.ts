import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { changedFile, createFileHasher, type FileHasher, type FileStat, type TreeEntry } from '@tbuild/context';
import type { Attributes, TreeWriter } from '@tbuild/snapshot';

/**
 * Writes a file of the selection. The bytes must be those that were keyed: if the file's stats have changed
 * since, the file is copied again and hashed.
 *
 * @throws TbuildError CONTEXT if the file changed or cannot be read.
 */
export function copyKeyedFile(entry: TreeEntry, writer: TreeWriter, copied: Copied): void {
  try {
    writer.file(copied.path, copied.attributes, { location: entry.location, size: entry.stats.size });
    copyAgainIfChanged(entry, writer, copied);
  } catch (error) {
    throw isNoFile(entry) ? changedFile(entry, error) : error;
  }
}

/** Does the same as {@link copyKeyedFile} for a large file. */
export function* copyLargeFile(entry: TreeEntry, writer: TreeWriter, copied: Copied): CooperativeTask {
  try {
    yield* writer.copy(copied.path, copied.attributes, entry.location);
    copyAgainIfChanged(entry, writer, copied);
  } catch (error) {
    throw isNoFile(entry) ? changedFile(entry, error) : error;
  }
}

/** The copy of a file. */
interface Copied {
  readonly path: string;
  readonly attributes: Attributes;
  readonly hasher: FileHasher;
}

function copyAgainIfChanged(entry: TreeEntry, writer: TreeWriter, { path, attributes, hasher }: Copied): void {
  if (isAsKeyed(entry)) return checkUnstable(entry, hasher);
  const hash = createHash('sha256');
  writer.file(path, attributes, { chunks: hashedChunks(entry.location, (chunk) => hash.update(chunk)) });
  requireSame(entry, hasher, `sha256:${hash.digest('hex')}`);
}

/** The file is gone, or something else has its name. */
function isNoFile({ location }: TreeEntry): boolean {
  return lstatSync(location, { throwIfNoEntry: false })?.isFile() !== true;
}

/**
 * Checks that a file which was just read still has the keyed bytes. A file modified shortly before it was keyed may
 * have changed again without a visible change of its stats.
 *
 * @throws TbuildError CONTEXT if it changed.
 */
export function checkKeyedFile(entry: TreeEntry, hasher: FileHasher): void {
  if (isAsKeyed(entry)) checkUnstable(entry, hasher);
  else requireSame(entry, hasher, createFileHasher().digest(entry));
}

/** Reads a file again whose stats do not show every change. */
function checkUnstable(entry: TreeEntry, hasher: FileHasher): void {
  if (!hasher.hasStableStat(entry)) requireSame(entry, hasher, createFileHasher().digest(entry));
}

function isAsKeyed({ location, stats: keyed }: TreeEntry): boolean {
  const stats: FileStat | undefined = lstatSync(location, { throwIfNoEntry: false });
  return (
    stats !== undefined &&
    stats.ctimeMs === keyed.ctimeMs &&
    stats.mtimeMs === keyed.mtimeMs &&
    stats.size === keyed.size &&
    stats.ino === keyed.ino
  );
}

function requireSame(entry: TreeEntry, hasher: FileHasher, found: string): void {
  // A directory digest kept from an earlier build has no digests of single files. A changed ctime alone may come from a
  // new or removed hard link.
  const keyed = hasher.known(entry) ?? (isUntouched(entry) ? found : undefined);
  if (keyed !== found) throw changedFile(entry);
}

function isUntouched({ location, stats }: TreeEntry): boolean {
  const now = lstatSync(location);
  const isRelinked = now.nlink !== stats.nlink;
  return (
    now.mtimeMs === stats.mtimeMs &&
    now.size === stats.size &&
    now.ino === stats.ino &&
    (now.ctimeMs === stats.ctimeMs || isRelinked)
  );
}

const CHUNK = 1 << 18;

function* hashedChunks(location: string, onChunk: (chunk: Uint8Array) => void): Iterable<Uint8Array> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  const file = openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let size = readSync(file, chunk, 0, CHUNK, null); size > 0; size = readSync(file, chunk, 0, CHUNK, null)) {
      onChunk(chunk.subarray(0, size));
      yield chunk.subarray(0, size);
    }
  } finally {
    closeSync(file);
  }
}
