import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errnoName, hasCode, TbuildError } from '@tbuild/errors';
import { hexOf, isDigest, type Descriptor, type Digest } from '@tbuild/oci';
import { createBlobFileWriter } from './blob-file-writer.ts';
import type { ContentStore, StoredBlob } from './content-store.ts';
import { ingest } from './ingest.ts';
import { verified } from './verified.ts';

/** A content store in a directory. */
export interface LocalStore extends ContentStore {
  /** Returns the path of the blob, whether or not it exists, for readers that open the file themselves. */
  path(digest: Digest): string;
  /**
   * Reports whether the blob exists, with `size` only as a file of that size. Like every method that finds a blob, it marks it as used:
   * see {@link LocalStoreOptions.usedAt}.
   */
  use(digest: Digest, size?: number): boolean;
  /** Does not hash the blob when it is read, because another process of this build has just written it. */
  trust(digest: Digest): void;
}

export interface LocalStoreOptions {
  /** Keeps corrupt blobs, because the directory belongs to another program. */
  readonly keepCorrupt?: boolean;
  /** The directory of unfinished blobs, on the same file system. Default: `ROOT/tmp`. */
  readonly temporaryDirectory?: string;
  /** Sets the access time of blobs that are found to this time (milliseconds) unless it is later. Default: does not. */
  readonly usedAt?: number;
}

const CHUNK = 256 * 1024;
const CHUNKS_A_TURN = 16;

/**
 * Keeps blobs as an OCI image layout does, in `ROOT/blobs/sha256/<hex>`. Makes directories when they are needed. Removes a blob that
 * turns out corrupt while it is read, so that it can be fetched again.
 */
export function createLocalStore(
  root: string,
  { keepCorrupt = false, temporaryDirectory = join(root, 'tmp'), usedAt }: LocalStoreOptions = {},
): LocalStore {
  const directory = join(root, 'blobs', 'sha256');
  const path = (digest: Digest): string => join(directory, hexOf(digest));
  const proofs = createProofs(path);
  const files = { temporaryDirectory, pathOf: path, onCommit: proofs.note };
  const createWriter = (proven?: Digest) => createBlobFileWriter(files, proven);
  const use = (digest: Digest, size?: number): boolean => isUsable(path(digest), size, usedAt);

  return {
    path,
    use,
    trust: proofs.note,
    createWriter,
    has: async ({ digest, size }) => use(digest, size),
    async read(target, signal) {
      if (!use(target.digest)) throw missing(target.digest);
      return readVerified(path(target.digest), target, { keepCorrupt, signal, proofs, nextChunk: newChunk });
    },
    async readBriefly(target, signal) {
      if (!use(target.digest)) throw missing(target.digest);
      return readVerified(path(target.digest), target, { keepCorrupt, signal, proofs, nextChunk: chunksInTurn() });
    },
    write: async (source, expected, signal) =>
      ingest(source, {
        createWriter,
        expected,
        signal,
        present: expected !== undefined && use(expected.digest, expected.size),
      }),
    delete: async (digest) => rmSync(path(digest), { force: true, recursive: true }),
    list: () => listBlobs(directory),
  };
}

function missing(digest: Digest, cause?: unknown): TbuildError {
  return new TbuildError('NOT_FOUND', `Blob ${digest} is not in the store`, { cause });
}

/** Reports whether the path is a file of the right size, and marks it as used. */
function isUsable(path: string, size: number | undefined, usedAt: number | undefined): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || (size !== undefined && stats.size !== size)) return false;
  // A time that is set in seconds comes back a little earlier.
  return usedAt === undefined || stats.atimeMs > usedAt - 1 || markUsed(path, usedAt, stats.mtimeMs);
}

/** Returns false when the blob has just been removed. */
function markUsed(path: string, usedAt: number, mtimeMs: number): boolean {
  try {
    utimesSync(path, usedAt / 1000, mtimeMs / 1000);
    return true;
  } catch (error) {
    // No other process removes blobs of a store that this one cannot change.
    return errnoName(error) !== 'ENOENT';
  }
}

/** Blobs that this process has written or read whole and that have not changed since: they need no hashing. */
interface Proofs {
  note(digest: Digest): void;
  holds(target: Descriptor): boolean;
}

function createProofs(path: (digest: Digest) => string): Proofs {
  const known = new Map<Digest, string>();
  const stampOf = (digest: Digest): string | undefined => {
    const stats = statSync(path(digest), { throwIfNoEntry: false, bigint: true });
    return stats && [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join();
  };
  return {
    note(digest) {
      const stamp = stampOf(digest);
      if (stamp !== undefined) known.set(digest, stamp);
    },
    holds: ({ digest, size }) =>
      known.has(digest) && known.get(digest) === stampOf(digest) && isUsable(path(digest), size, undefined),
  };
}

interface ReadOptions {
  readonly keepCorrupt: boolean;
  readonly signal?: AbortSignal;
  readonly proofs: Proofs;
  /** Returns the buffer for the next read. */
  nextChunk(): Buffer;
}

async function* readVerified(
  path: string,
  target: Descriptor,
  { keepCorrupt, proofs, ...reading }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = readFile(path, target.digest, reading);
  if (proofs.holds(target)) return yield* bytes;
  try {
    yield* verified(bytes, target);
  } catch (error) {
    if (hasCode(error, 'DIGEST_MISMATCH') && !keepCorrupt) rmSync(path, { force: true });
    throw error;
  }
}

/** Allocates memory that the reader may keep. */
function newChunk(): Buffer {
  return Buffer.allocUnsafeSlow(CHUNK);
}

/** Six for the reader, one that is held back until it is verified, and one that is being filled. */
const IN_TURN = 8;

function chunksInTurn(): () => Buffer {
  const chunks: Buffer[] = [];
  let count = 0;
  return () => (chunks[count++ % IN_TURN] ??= newChunk());
}

/** Lets timers and signals run every few chunks. */
async function* readFile(
  path: string,
  digest: Digest,
  { nextChunk, signal }: Pick<ReadOptions, 'nextChunk' | 'signal'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fd = openBlob(path, digest);
  try {
    for (let count = 1; ; count += 1) {
      signal?.throwIfAborted();
      const chunk = nextChunk();
      const length = readSync(fd, chunk, 0, CHUNK, null);
      if (length === 0) return;
      yield chunk.subarray(0, length);
      if (count % CHUNKS_A_TURN === 0) await setImmediate();
    }
  } finally {
    closeSync(fd);
  }
}

function openBlob(path: string, digest: Digest): number {
  try {
    // A layout of another program may hold a FIFO, which must not block.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw errnoName(error) === 'ENOENT' ? missing(digest, error) : error;
  }
}

async function* listBlobs(directory: string): AsyncGenerator<StoredBlob, void, undefined> {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  for (const name of names) {
    const digest = `sha256:${name}`;
    const stats = statSync(join(directory, name), { throwIfNoEntry: false });
    if (stats?.isFile() === true && isDigest(digest)) yield { digest, size: stats.size };
  }
}
