import { closeSync, openSync } from 'node:fs';
import { libraryCall, systemError } from './libc.ts';

const sync = libraryCall('int syncfs(int fd)');

/** Writes the file system that holds `path` to its disk. */
export function syncfs(path: string): void {
  const fd = openSync(path, 'r');
  try {
    if (sync(fd) < 0) throw systemError('syncfs', path);
  } finally {
    closeSync(fd);
  }
}
