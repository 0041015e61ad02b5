import { openLayout } from '@tbuild/content';
import { hasCode } from '@tbuild/errors';
import { findImage, type LocalImages, type Registries } from '@tbuild/images';
import { isDigest, parseReference } from '@tbuild/oci';
import type { ImagePlace } from './read-image.ts';

/** The store and the registries. */
export interface Places extends LocalImages, Registries {}

/**
 * Finds an image: `oci-layout://DIRECTORY[:TAG|@DIGEST]`, else in the store, else in its registry. Copies nothing.
 * @throws TbuildError NOT_FOUND, RegistryError.
 */
export async function openPlace(name: string, places: Places, signal: AbortSignal): Promise<ImagePlace> {
  const layout = /^oci-layout:\/\/(.+?)(?:@(sha256:[a-f0-9]{64})|:([^/:@]+))?$/.exec(name);
  if (layout !== null) {
    const [, path = '', digest, tag] = layout;
    const opened = await openLayout(path);
    return { name, root: await opened.resolve(digest ?? tag), content: opened.provider };
  }
  const stored = storedPlace(name, places);
  if (stored !== undefined) return stored;
  const reference = parseReference(name);
  const repository = await places.openRepository(reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
  return { name, root, content: repository };
}

function storedPlace(name: string, places: Places): ImagePlace | undefined {
  try {
    return { name, root: findImage(name, places).target, content: places.content };
  } catch (error) {
    // A name that is not in the store may be in a registry, an ID cannot.
    if (hasCode(error, 'NOT_FOUND') && !isDigest(name)) return undefined;
    throw error;
  }
}
