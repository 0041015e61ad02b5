import { loadImages, type LoadedImage } from '@tbuild/sources';
import type { LocalImages } from './places.ts';

/**
 * Loads the images of an archive into the store, under the names that the archive gives them.
 * @throws TbuildError as `loadImages`.
 */
export async function loadArchive(
  bytes: AsyncIterable<Uint8Array>,
  local: LocalImages,
  signal: AbortSignal,
): Promise<readonly LoadedImage[]> {
  const loaded = await loadImages(bytes, local, signal);
  for (const { target, names } of loaded) for (const name of names) local.refs.set(name, target);
  return loaded;
}
