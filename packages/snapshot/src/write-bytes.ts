import { writeSync } from 'node:fs';
import type { FileBytes } from './tree-writer.ts';

/** Writes the bytes of `source` into an open, empty file. Returns their number. */
export function writeBytes(source: Exclude<FileBytes, { location: string }>, fd: number): number {
  let size = 0;
  for (const chunk of 'bytes' in source ? [source.bytes] : source.chunks) size += writeAll(fd, chunk);
  return size;
}

function writeAll(fd: number, bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
  return bytes.length;
}
