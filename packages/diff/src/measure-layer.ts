import type { Provider } from '@tbuild/content';
import type { Descriptor } from '@tbuild/oci';
import { openLayer } from './open-layer.ts';
import { readEntries } from './read-archive.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';

/**
 * Returns the total size of the files and symbolic link targets of a layer, which Docker calls the size of a step.
 * Reads the whole layer.
 * @throws TbuildError NOT_FOUND if the blob is missing, SNAPSHOT if it is not an archive.
 */
export async function measureLayer(layer: Descriptor, from: Provider, signal?: AbortSignal): Promise<number> {
  let size = 0;
  const onEntry = (entry: TarEntry): undefined => {
    if (entry.type === TarType.file) size += entry.size;
    if (entry.type === TarType.symlink) size += Buffer.byteLength(entry.linkName);
  };
  await readEntries(await openLayer(layer, from, signal), onEntry, { signal });
  return size;
}
