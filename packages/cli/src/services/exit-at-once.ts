import { exitImmediately } from '@tbuild/linux';

/** What a thread of Node's pool does, and its exit waits for. */
const IN_THREAD = /^(?:GetAddrInfo|GetNameInfo|FS|FILEHANDLE)/;

/**
 * Ends this process. Unlike `process.exit` it does not wait for threads that look up a name or read from a file
 * system which does not answer. What has been written to streams has to be flushed before.
 */
export function exitAtOnce(code: number): never {
  if (process.getActiveResourcesInfo().some((kind) => IN_THREAD.test(kind))) exitImmediately(code);
  process.exit(code);
}
