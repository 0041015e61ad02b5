import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { looksLikeArchive } from '@tbuild/diff';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';

/** The content of standard input: a text, or an archive that can be read at a path. */
export type StandardInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'archive'; readonly path: string };

/**
 * Reads standard input to its end. Keeps an archive in an unnamed file below `directory`, which disappears with this
 * process; an archive that is a file already stays where it is.
 */
export function readStandardInput(directory: string): StandardInput {
  const chunk = Buffer.allocUnsafe(CHUNK);
  const head = fill(chunk);
  if (!looksLikeArchive(head)) return { kind: 'text', text: Buffer.concat([head, ...rest()]).toString('utf8') };
  if (fstatSync(0).isFile()) return { kind: 'archive', path: '/proc/self/fd/0' };
  const fd = openUnnamed(directory);
  for (let bytes = head; bytes.length > 0; bytes = fill(chunk)) writeAll(fd, bytes);
  return { kind: 'archive', path: `/proc/self/fd/${fd}` };
}

const CHUNK = 1 << 20;

function* rest(): Generator<Buffer> {
  for (let bytes = fill(Buffer.allocUnsafe(CHUNK)); bytes.length > 0; bytes = fill(Buffer.allocUnsafe(CHUNK)))
    yield bytes;
}

/** Fills the buffer; returns less only at the end of the input. */
function fill(chunk: Buffer): Buffer {
  let size = 0;
  while (size < chunk.length) {
    const count = readSome(chunk, size);
    if (count === 0) break;
    size += count;
  }
  return chunk.subarray(0, size);
}

/** Reads a chunk, also from a standard input that its owner made non-blocking. */
function readSome(chunk: Buffer, offset: number): number {
  for (;;) {
    try {
      return readSync(0, chunk, offset, chunk.length - offset, null);
    } catch (error) {
      if (errnoName(error) === 'EOF') return 0;
      if (errnoName(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function openUnnamed(directory: string): number {
  makeDirectory(directory, { mode: 0o700 });
  const path = join(directory, `input-${process.pid}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}
