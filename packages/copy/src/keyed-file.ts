import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { changedFile, createFileHasher, type FileHasher, type FileStat, type TreeEntry } from '@tbuild/context';
import type { Attributes, TreeWriter } from '@tbuild/snapshot';

/**
 * Writes a file of the selection to `path`. What was keyed is what is copied: when the file's stats are
 * not what they were then, it is copied once more and hashed on the way.
 *
 * @throws TbuildError CONTEXT when the bytes are not those that were keyed, or cannot be read.
 */
export function copyKeyedFile(entry: TreeEntry, writer: TreeWriter, path: string, copied: Copied): void {
  try {
    writer.file(path, copied.attributes, { location: entry.location });
    copyAgainIfChanged(entry, writer, path, copied);
  } catch (error) {
    throw isGone(entry) ? changedFile(entry, error) : error;
  }
}

/** {@link copyKeyedFile} for a large one. */
export function* copyLargeFile(entry: TreeEntry, writer: TreeWriter, path: string, copied: Copied): CooperativeTask {
  try {
    yield* writer.copy(path, copied.attributes, entry.location);
    copyAgainIfChanged(entry, writer, path, copied);
  } catch (error) {
    throw isGone(entry) ? changedFile(entry, error) : error;
  }
}

interface Copied {
  readonly attributes: Attributes;
  readonly hasher: FileHasher;
}

function copyAgainIfChanged(entry: TreeEntry, writer: TreeWriter, path: string, { attributes, hasher }: Copied): void {
  if (isAsKeyed(entry)) return checkKeyedFile(entry, hasher);
  const hash = createHash('sha256');
  writer.file(path, attributes, { chunks: hashedChunks(entry.location, (chunk) => hash.update(chunk)) });
  requireSame(entry, hasher, `sha256:${hash.digest('hex')}`);
}

function isGone({ location }: TreeEntry): boolean {
  return lstatSync(location, { throwIfNoEntry: false }) === undefined;
}

/**
 * For a file that was read by someone else: whether what was keyed was there to be read. One that had only just changed
 * when it was keyed may have changed again without showing it.
 *
 * @throws TbuildError CONTEXT when it changed.
 */
export function checkKeyedFile(entry: TreeEntry, hasher: FileHasher): void {
  if (!isAsKeyed(entry) || !hasher.hasStableStat(entry)) requireSame(entry, hasher, createFileHasher().digest(entry));
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
  // A digest kept from an earlier build knows nothing of single files; a new ctime alone may be one link more or less.
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
