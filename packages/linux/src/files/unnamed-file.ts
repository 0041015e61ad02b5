import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeSync } from 'node:fs';

/** An open file that no directory lists. */
export interface UnnamedFile extends Disposable {
  readonly fd: number;
}

/**
 * Writes a file and removes its name before it has content, so that nothing of it outlives this process, even if
 * killed. It can be opened and executed through its descriptor. Nothing may exist at `path`.
 */
export function openUnnamedFile(path: string, bytes: Uint8Array, mode: number): UnnamedFile {
  const writer = openSync(path, 'wx', 0o600);
  try {
    unlinkSync(path);
    fchmodSync(writer, mode);
    for (let at = 0; at < bytes.length;) at += writeSync(writer, bytes, at);
    // The kernel does not execute a file that is open for writing.
    const fd = openSync(`/proc/self/fd/${writer}`, constants.O_RDONLY);
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } finally {
    closeSync(writer);
  }
}
