import { runCooperatively } from '@tbuild/concurrency';
import { hasCode } from '@tbuild/errors';
import { TarType } from './tar/tar-entry.ts';
import { TarParser } from './tar/tar-parser.ts';
import { readDecompressed } from './unpack-archive.ts';

/**
 * Returns the time of the newest regular file in an archive, compressed or not, in milliseconds since 1970. Undefined for
 * another file, a damaged archive, and one without files.
 */
export async function newestFile(location: string, signal: AbortSignal): Promise<number | undefined> {
  let newest: number | undefined;
  const parser = new TarParser(({ type, mtimeMs }) => {
    if (type === TarType.file) newest = Math.max(newest ?? mtimeMs, mtimeMs);
    return undefined;
  });
  try {
    for await (const bytes of readDecompressed(location)) {
      signal.throwIfAborted();
      await runCooperatively(parser.parse(bytes), signal);
    }
    parser.finish();
    return newest;
  } catch (error) {
    if (hasCode(error, 'SNAPSHOT')) return undefined;
    throw error;
  } finally {
    parser.abort();
  }
}
