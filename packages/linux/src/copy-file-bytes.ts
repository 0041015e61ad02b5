import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

const BUFFER_SIZE = 1 << 20;
let buffer: Buffer | undefined;

/**
 * Copies a file's bytes to an open, empty file through one buffer that all calls share. Returns their
 * number. A symbolic link in the last place is refused with ELOOP.
 */
export function copyFileBytes(source: string, target: number): number {
  buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
  const fd = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    let total = 0;
    for (;;) {
      const size = readSync(fd, buffer, 0, BUFFER_SIZE, null);
      for (let at = 0; at < size;) at += writeSync(target, buffer, at, size - at);
      total += size;
      if (size < BUFFER_SIZE) return total;
    }
  } finally {
    closeSync(fd);
  }
}
