import type { Services } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { findImage } from '@tbuild/images';
import { familiarReference, isDigest, parseReference, type Digest, type Reference } from '@tbuild/oci';

/** The names, or the image without a name, that were removed from the store. */
export interface RemovedImage {
  readonly references: readonly Reference[];
  /** The ID of an image without a name. */
  readonly id?: Digest;
}

/**
 * Removes the names of an image from the store, or an image without a name.
 * @throws TbuildError NOT_FOUND; USAGE for an ID with several names, unless forced.
 */
export function removeImage(name: string, force: boolean, services: Services): RemovedImage {
  // An image can be removed by name even if it is damaged.
  const reference = isDigest(name) ? undefined : parseReference(name);
  if (reference !== undefined && services.refs.remove([reference]).length > 0) return { references: [reference] };
  const { references, target, image } = findImage(name, services);
  if (references.length > 1 && !force) {
    const names = references.map(familiarReference).join(', ');
    throw new TbuildError('USAGE', `Image ${JSON.stringify(name)} has ${references.length} names: ${names}`, {
      hint: 'Remove them one by one, or use --force',
    });
  }
  services.refs.remove(references);
  return references.length === 0 && services.refs.drop([target.digest]).length > 0
    ? { references, id: image.manifest.config.digest }
    : { references };
}
