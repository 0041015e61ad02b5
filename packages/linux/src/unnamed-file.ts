import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeSync } from 'node:fs';

/** A file that is open for reading and has no name. */
export interface UnnamedFile extends Disposable {
  readonly fd: number;
}

/**
 * Writes a file that never has a name while there is something in it: nothing remains of it, whoever is killed when. It can be
 * opened, and executed, by its descriptor. `path` is where nothing is.
 */
export function openUnnamedFile(path: string, bytes: Uint8Array, mode: number): UnnamedFile {
  const writer = openSync(path, 'wx', 0o600);
  try {
    unlinkSync(path);
    fchmodSync(writer, mode);
    for (let at = 0; at < bytes.length;) at += writeSync(writer, bytes, at);
    // What is open for writing cannot be executed.
    const fd = openSync(`/proc/self/fd/${writer}`, constants.O_RDONLY);
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } finally {
    closeSync(writer);
  }
}
