import { join } from 'node:path';
import { damagedRefs } from '@tbuild/content';
import { familiarReference, hexOf, isIndexType, type Descriptor, type Digest } from '@tbuild/oci';
import { childrenOfImage, hasFile } from '../needed-blobs.ts';
import { withPauses } from '../pauses.ts';
import { type CheckedStore, isThere } from './checked-store.ts';
import { type Damage, unreadable } from './damage.ts';

/**
 * Yields damaged names of images, and images that lack a blob or have one of the damaged ones, unless the name or image was
 * removed in the meantime.
 */
export async function* checkImages(
  stores: CheckedStore,
  damaged: ReadonlySet<Digest>,
  signal: AbortSignal,
): AsyncGenerator<Damage, void> {
  const { refs, store } = stores;
  for (const name of damagedRefs(store))
    yield unreadable(`The image name in ${JSON.stringify(join(store.refs, name))}`, join(store.refs, name));
  for await (const { reference, target } of withPauses(refs.list(), signal)) {
    const missing = missingBlob(target, damaged, stores);
    const name = JSON.stringify(familiarReference(reference));
    if (missing !== undefined && refs.get(reference)?.digest === target.digest)
      yield { kind: 'image', message: `Image ${name} lacks blob ${missing}` };
  }
  for await (const { target } of withPauses(refs.unnamed(), signal)) {
    const missing = missingBlob(target, damaged, stores);
    const path = join(store.refs, `sha256=${hexOf(target.digest)}`);
    if (missing !== undefined && isThere(path))
      yield { kind: 'file', message: `Image ${target.digest} without a name lacks blob ${missing}`, path };
  }
}

/** Returns a blob that an image needs and the store lacks. An index may lack the images of other platforms. */
function missingBlob(target: Descriptor, damaged: ReadonlySet<Digest>, stores: CheckedStore): Digest | undefined {
  const { digest, mediaType } = target;
  if (damaged.has(digest) || !hasFile(digest, stores)) return digest;
  const children = childrenOfImage(target, stores);
  const needed = isIndexType(mediaType) ? children.filter((child) => hasFile(child.digest, stores)) : children;
  return needed.map((child) => missingBlob(child, damaged, stores)).find((missing) => missing !== undefined);
}
