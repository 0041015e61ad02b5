import { ftruncateSync, writeSync } from 'node:fs';

/** Writes an open, empty file from its beginning. */
export interface HoleWriter {
  /** The caller may reuse the buffer afterwards. */
  write(bytes: Uint8Array): void;
  /** Completes the file and returns its size in bytes. */
  finish(): number;
}

/** Shorter pieces of zeros are written: a hole consists of whole blocks. */
const SMALLEST = 4096;
const ZEROS = new Uint8Array(1 << 16);

/** Creates a writer that skips long runs of zeros, so that a sparse file stays sparse however its bytes arrive. */
export function createHoleWriter(fd: number): HoleWriter {
  let [position, size] = [0, 0];
  return {
    write(bytes) {
      if (bytes.length > 0 && !isZero(bytes)) {
        writeAt(fd, bytes, position);
        size = position + bytes.length;
      }
      position += bytes.length;
    },
    finish() {
      if (size < position) ftruncateSync(fd, position);
      return position;
    },
  };
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes.length < SMALLEST || bytes[0] !== 0 || bytes[bytes.length - 1] !== 0) return false;
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
