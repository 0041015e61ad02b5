import { exitImmediately } from '@tbuild/linux';

/** Handles for which a thread of Node's pool works, and for which its exit waits. */
const IN_THREAD = /^(?:GetAddrInfo|GetNameInfo|FS|FILEHANDLE)/;

/**
 * Ends this process. Unlike `process.exit`, does not wait for threads that look up a name or read from a hanging file
 * system. Streams have to be flushed before.
 */
export function exitAtOnce(code: number): never {
  try {
    if (process.getActiveResourcesInfo().some((kind) => IN_THREAD.test(kind))) exitImmediately(code);
  } finally {
    // With too few open files, the native library cannot be loaded.
    process.exit(code);
  }
}
