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
  const refs = loaded.flatMap(({ target, names }) => names.map((reference) => ({ reference, target })));
  if (refs.length > 0) local.refs.set(refs);
  return loaded;
}
