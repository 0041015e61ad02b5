import { closeSync, createReadStream, lstatSync, openSync, readSync } from 'node:fs';
import { hasCode, prefixed } from '@tbuild/errors';
import type { ReadableTreeWriter } from '@tbuild/snapshot';
import { ArchiveTarget } from './archive-target.ts';
import { decompress, detectCompression, type Compression } from './decompress.ts';
import { readEntries } from './read-archive.ts';
import { isTarHeader } from './tar/decode-tar-header.ts';
import { BLOCK } from './tar/tar-entry.ts';
import { UnpackGuard, type UnpackLimits } from './unpack-guard.ts';

export interface UnpackOptions {
  readonly writer: ReadableTreeWriter;
  /** An existing directory of the tree, given by its resolved path. */
  readonly destination: string;
  /** The owner of every member, instead of the archive's owners. Parents that the archive lacks belong to root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /**
   * The time of parents that the archive lacks, and of existing directories that get entries and are no members, in
   * milliseconds since the epoch. Without it such parents get the time 0, and existing directories keep theirs.
   */
  readonly now?: number;
  readonly limits?: UnpackLimits;
  readonly signal?: AbortSignal;
  /** Called for each device node, which an ordinary user cannot make. */
  readonly onSkippedDevice?: (path: string) => unknown;
}

/**
 * Returns whether ADD unpacks this file: a regular file that is an archive, compressed or not, with at least one
 * member. Its name does not matter.
 * @throws TbuildError UNSUPPORTED if the program to decompress it is not installed.
 */
export async function isArchive(location: string): Promise<boolean> {
  if (lstatSync(location, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    return isTarHeader(await firstBlock(location));
  } catch (error) {
    if (hasCode(error, 'SNAPSHOT')) return false;
    throw error;
  }
}

/**
 * Unpacks an archive as ADD does: everything stays inside the destination, whose mode and owner do not change, and
 * whiteouts are ordinary files. The caller finishes the writer.
 * @throws TbuildError SNAPSHOT if the archive is damaged or contains something that cannot be unpacked.
 */
export async function unpackArchive(location: string, options: UnpackOptions): Promise<void> {
  const guard = new UnpackGuard(options.limits);
  const target = new ArchiveTarget({ ...options, root: options.destination, guard });
  try {
    await readEntries(readDecompressed(location), (entry) => target.add(entry), { signal: options.signal, guard });
  } catch (error) {
    throw hasCode(error, 'SNAPSHOT') ? prefixed(error, `Could not unpack ${JSON.stringify(location)}`) : error;
  }
}

/** Returns whether a file starts like an archive. Any compressed file counts as one. */
export function looksLikeArchive(head: Uint8Array): boolean {
  return isTarHeader(head.subarray(0, BLOCK)) || detectCompression(head) !== 'uncompressed';
}

const CHUNK = 1 << 20;

/** Reads a file, decompressed if it is compressed. */
export function readDecompressed(location: string): AsyncIterable<Uint8Array> {
  return decompress(createReadStream(location, { highWaterMark: CHUNK }), compressionOf(location));
}

function compressionOf(location: string): Compression {
  const head = Buffer.alloc(6);
  const fd = openSync(location, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  return detectCompression(head);
}

async function firstBlock(location: string): Promise<Uint8Array> {
  let block = Buffer.alloc(0);
  for await (const bytes of readDecompressed(location)) {
    block = Buffer.concat([block, bytes.subarray(0, BLOCK - block.length)]);
    if (block.length === BLOCK) break;
  }
  return block;
}
