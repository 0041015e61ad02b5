import { hasCode } from '@tbuild/errors';
import { readEntries } from './read-archive.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import { readDecompressed } from './unpack-archive.ts';

/**
 * Returns the time of the newest regular file in an archive, compressed or not, in milliseconds since 1970. Undefined for
 * another file, a damaged archive, and one without files.
 */
export async function newestFile(location: string, signal: AbortSignal): Promise<number | undefined> {
  let newest: number | undefined;
  const onEntry = ({ type, mtimeMs }: TarEntry): undefined => {
    if (type === TarType.file) newest = Math.max(newest ?? mtimeMs, mtimeMs);
  };
  try {
    await readEntries(readDecompressed(location), onEntry, { signal });
    return newest;
  } catch (error) {
    if (hasCode(error, 'SNAPSHOT')) return undefined;
    throw error;
  }
}
