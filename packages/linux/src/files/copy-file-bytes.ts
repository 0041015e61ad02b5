import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { createHoleReader } from './hole-reader.ts';
import { createHoleWriter, type HoleWriter } from './hole-writer.ts';

const BUFFER_SIZE = 1 << 20;
let buffer: Buffer | undefined;

/**
 * Copies a file's bytes to an open, empty file and keeps its holes. Returns the number of bytes. Refuses a symbolic
 * link with ELOOP.
 */
export function* copyFileBytes(source: string, target: number): CooperativeTask<number> {
  buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
  const fd = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const file = createHoleWriter(target);
    const size = readSync(fd, buffer, 0, BUFFER_SIZE, null);
    if (size > 0) file.write(buffer.subarray(0, size));
    if (size === BUFFER_SIZE) yield* copyRest(fd, buffer, file);
    return file.finish();
  } finally {
    closeSync(fd);
  }
}

/** Asking whether a file is sparse pays off for large files only. */
function* copyRest(fd: number, chunk: Buffer, file: HoleWriter): CooperativeTask {
  const read = createHoleReader(fd, fstatSync(fd), chunk.length);
  for (let size = read(chunk, 0, chunk.length); size > 0; size = read(chunk, 0, chunk.length)) {
    file.write(chunk.subarray(0, size));
    yield;
  }
}
