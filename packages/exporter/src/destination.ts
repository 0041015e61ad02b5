import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { errnoName, TbuildError } from '@tbuild/errors';

/** Where an archive goes: a file, by absolute path, or a stream such as standard output. */
export type Destination = string | Writable;

/**
 * Writes all bytes to the destination. A file appears under its name only when it is complete; a stream is
 * left open.
 * @throws TbuildError USAGE when the file cannot be made there.
 */
export async function writeTo(destination: Destination, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (typeof destination !== 'string') return writeToStream(destination, bytes);
  await explaining(destination, () => (isSpecial(destination) ? writeToFile(destination, bytes) : replaceFile(destination, bytes)));
}

/**
 * Does something that writes to `destination`, and says so in words when the system refuses.
 * @throws TbuildError USAGE.
 */
export async function explaining<T>(destination: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const reason = REASONS[errnoName(cause) ?? ''];
    if (reason === undefined) throw cause;
    throw new TbuildError('USAGE', `Output ${JSON.stringify(destination)} cannot be written: ${reason}`, { cause });
  }
}

/** For people. */
export function nameOf(destination: Destination): string {
  return typeof destination === 'string' ? destination : 'standard output';
}

async function replaceFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeToFile(temporary, bytes);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function writeToFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'w', 0o644);
  try {
    for await (const chunk of bytes) {
      for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset);
      await setImmediate();
    }
  } finally {
    closeSync(fd);
  }
}

async function writeToStream(stream: Writable, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) {
    if (stream.destroyed) throw new TbuildError('USAGE', 'The reader of the output has gone away');
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
}

/** A device or pipe such as /dev/stdout has no place for a temporary file beside it. */
function isSpecial(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a parent is not a directory',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};
