import { closeSync, constants, openSync, readSync } from 'node:fs';
import { createHoleWriter } from './hole-writer.ts';

const BUFFER_SIZE = 1 << 20;
let buffer: Buffer | undefined;

/**
 * Copies a file's bytes to an open, empty file through one buffer that all calls share, holes as holes. Returns their
 * number. A symbolic link in the last place is refused with ELOOP.
 */
export function copyFileBytes(source: string, target: number): number {
  buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
  const fd = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const file = createHoleWriter(target);
    for (;;) {
      const size = readSync(fd, buffer, 0, BUFFER_SIZE, null);
      if (size > 0) file.write(buffer.subarray(0, size));
      if (size < BUFFER_SIZE) return file.finish();
    }
  } finally {
    closeSync(fd);
  }
}
