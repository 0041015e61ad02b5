import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';

/** The destination of an archive: a file, by absolute path, or a stream such as standard output. */
export type Destination = string | Writable;

/** Takes the bytes of an archive. */
export interface ArchiveSink {
  /** Writes bytes. The caller may reuse the buffer afterwards. */
  write(bytes: Uint8Array): void;
  /** Resolves when more may be written without filling memory; a writer that cannot wait may skip it. */
  ready(): Promise<void>;
}

/**
 * Calls `write` with a sink for the destination. A file appears under its name only when `write` has finished; a stream
 * stays open.
 * @throws TbuildError USAGE when the file cannot be created there.
 */
export async function withSink(destination: Destination, write: (sink: ArchiveSink) => Promise<void>): Promise<void> {
  if (typeof destination !== 'string') return writeToStream(destination, write);
  await explaining(destination, () =>
    isSpecial(destination) ? writeToFile(destination, write) : replaceFile(destination, write),
  );
}

/** Writes all bytes to the destination, like {@link withSink}. */
export function writeTo(destination: Destination, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  return withSink(destination, async (sink) => {
    for await (const chunk of bytes) {
      sink.write(chunk);
      await sink.ready();
    }
  });
}

/**
 * Runs `write`, and explains a refusal by the system.
 * @throws TbuildError USAGE for a path that cannot be written to, SYSTEM for a disk that fails or is full.
 */
export async function explaining<T>(destination: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const name = errnoName(cause) ?? '';
    const reason = REASONS[name] ?? DISK_REASONS[name];
    if (reason === undefined) throw cause;
    const code = name in REASONS ? 'USAGE' : 'SYSTEM';
    throw new TbuildError(code, `Cannot write the output ${JSON.stringify(destination)}: ${reason}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'a parent is not a directory',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a parent is not a directory',
};

const DISK_REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EIO: 'input/output error',
  EMFILE: 'too many open files',
};

/** Returns the destination's name for people. */
export function nameOf(destination: Destination): string {
  return typeof destination === 'string' ? destination : 'standard output';
}

async function replaceFile(path: string, write: (sink: ArchiveSink) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeToFile(temporary, write);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function writeToFile(path: string, write: (sink: ArchiveSink) => Promise<void>): Promise<void> {
  makeDirectory(dirname(path));
  const fd = openSync(path, 'w', 0o644);
  try {
    await write({
      write(bytes) {
        for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
      },
      ready: () => setImmediate(),
    });
  } finally {
    closeSync(fd);
  }
}

async function writeToStream(stream: Writable, write: (sink: ArchiveSink) => Promise<void>): Promise<void> {
  const ready = async (): Promise<void> => {
    if (stream.destroyed) throw new TbuildError('USAGE', 'Nobody reads the output any more');
    if (stream.writableNeedDrain) await once(stream, 'drain');
  };
  await write({ write: (bytes) => void stream.write(Buffer.from(bytes)), ready });
  await ready();
}

/** Returns whether the path is a device or pipe such as /dev/stdout, beside which no temporary file can be made. */
function isSpecial(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}
