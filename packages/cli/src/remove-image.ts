import { findImage, type Worker } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { familiarReference, type Reference } from '@tbuild/oci';

/**
 * Removes the names of an image from the store, and gives them.
 * @throws TbuildError NOT_FOUND; USAGE for an ID with several names, unless forced.
 */
export function removeImage(name: string, force: boolean, worker: Worker): readonly Reference[] {
  const { references } = findImage(name, worker);
  if (references.length > 1 && !force) {
    const names = references.map(familiarReference).join(', ');
    throw new TbuildError('USAGE', `Image ${JSON.stringify(name)} has ${references.length} names: ${names}`, {
      hint: 'Remove them one by one, or use --force',
    });
  }
  for (const reference of references) worker.refs.remove(reference);
  return references;
}
