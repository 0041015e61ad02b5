import { TbuildError } from '@tbuild/errors';
import { findImage, listImages, type ListedImage, type LocalImages } from '@tbuild/images';
import { familiarReference, formatReference, isDigest, parseReference, type Digest, type Reference } from '@tbuild/oci';

/** The names, or the image without a name, that were removed from the store. */
export interface RemovedImage {
  readonly references: readonly Reference[];
  /** The ID of an image without a name. */
  readonly id?: Digest;
}

/** Finds images one after the other as if those before were removed, and removes all at once: the store is read and written once. */
export interface Removal {
  /**
   * Adds the names of an image, or an image without a name.
   * @throws TbuildError NOT_FOUND; USAGE for an ID with several names, unless forced.
   */
  add(name: string): void;
  /** Removes what was added. */
  apply(): readonly RemovedImage[];
}

export function planRemoval(force: boolean, { refs, content, platform }: LocalImages): Removal {
  const added: (RemovedImage & { readonly digest?: Digest })[] = [];
  /** Full names, and digests of images without a name. */
  const gone = new Set<string>();
  const isLeft = (reference: Reference): boolean => !gone.has(formatReference(reference));
  const left = {
    content,
    platform,
    refs: { ...refs, get: (reference: Reference) => (isLeft(reference) ? refs.get(reference) : undefined) },
  };
  let listed: Map<string, ListedImage> | undefined;
  const list = (): readonly ListedImage[] => {
    listed ??= new Map(listImages(left).map((one) => [keyOf(one), one]));
    for (const key of gone) listed.delete(key);
    return [...listed.values()];
  };
  const addNames = (references: readonly Reference[]): void => {
    added.push({ references });
    for (const reference of references) gone.add(formatReference(reference));
  };
  return {
    add(name) {
      // An image can be removed by name even if it is damaged.
      const reference = isDigest(name) ? undefined : parseReference(name);
      if (reference !== undefined && isLeft(reference) && refs.has(reference)) return addNames([reference]);
      const { references, target, image } = findImage(name, left, list);
      if (references.length > 1 && !force) throw severalNames(name, references);
      if (references.length > 0) return addNames(references);
      added.push({ references, id: image.manifest.config.digest, digest: target.digest });
      gone.add(target.digest);
    },
    apply() {
      refs.remove(added.flatMap(({ references }) => references));
      const dropped = new Set(refs.drop(added.flatMap(({ digest }) => digest ?? [])));
      return added.flatMap(({ references, id, digest }) =>
        digest === undefined || dropped.has(digest) ? [{ references, id }] : [],
      );
    },
  };
}

function keyOf({ reference, target }: ListedImage): string {
  return reference === undefined ? target.digest : formatReference(reference);
}

function severalNames(name: string, references: readonly Reference[]): TbuildError {
  const names = references.map(familiarReference).join(', ');
  return new TbuildError('USAGE', `Image ${JSON.stringify(name)} has ${references.length} names: ${names}`, {
    hint: 'Remove them one by one, or use --force',
  });
}
