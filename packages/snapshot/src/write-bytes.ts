import { writeSync } from 'node:fs';
import type { FileBytes } from './tree-writer.ts';

/** Writes what `source` has into an open, empty file. Returns the number of bytes. */
export function writeBytes(source: Exclude<FileBytes, { location: string }>, fd: number): number {
  let size = 0;
  for (const chunk of 'bytes' in source ? [source.bytes] : source.chunks) size += writeAll(fd, chunk);
  return size;
}

/** Writes all of `bytes`, however many turns that takes. Returns their number. */
function writeAll(fd: number, bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
  return bytes.length;
}
