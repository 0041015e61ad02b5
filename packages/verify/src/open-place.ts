import { hasCode } from '@tbuild/errors';
import { findImage, openPlace as openElsewhere, parsePlace, type LocalImages, type Registries } from '@tbuild/images';
import { isDigest } from '@tbuild/oci';
import { archiveNamed, openInArchive, type Archives } from './open-archive.ts';
import type { ImagePlace } from './read-image.ts';

/** The store, the registries and the files of this machine. */
export interface Places extends LocalImages, Registries, Archives {}

/**
 * Finds an image: in an archive, in `oci-layout://DIRECTORY[:TAG][@DIGEST]`, else in the store, else in its registry. Copies
 * nothing but the files of archives.
 * @throws TbuildError NOT_FOUND, SNAPSHOT for a damaged archive, RegistryError.
 */
export async function openPlace(name: string, places: Places, signal: AbortSignal): Promise<ImagePlace> {
  const archive = archiveNamed(name, places);
  if (archive !== undefined) return { name, ...(await openInArchive(archive, places, signal)) };
  const place = parsePlace(name, places.cwd);
  const stored = place.kind === 'layout' ? undefined : storedPlace(name, places);
  if (stored !== undefined) return stored;
  const { root, provider } = await openElsewhere(place, places, signal);
  return { name, root, content: provider };
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
