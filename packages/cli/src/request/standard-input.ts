import { closeSync, fstatSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { looksLikeArchive } from '@tbuild/diff';

/** What stands on standard input: a text, or an archive that can be read at a path. */
export type StandardInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'archive'; readonly path: string };

/**
 * Reads standard input to its end. An archive is kept in a file without a name below `directory`, which is gone
 * with this process; one that is a file already is left where it is.
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

/** As much as fits; less only at the end. */
function fill(chunk: Buffer): Buffer {
  let size = 0;
  while (size < chunk.length) {
    const count = readSome(chunk, size);
    if (count === 0) break;
    size += count;
  }
  return chunk.subarray(0, size);
}

/** Standard input may have been set to not block by whoever holds its other end. */
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
  mkdirSync(directory, { recursive: true, mode: 0o700 });
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
