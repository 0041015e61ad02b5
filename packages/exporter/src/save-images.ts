import type { Provider } from '@tbuild/content';
import { familiarReference, type Descriptor, type Manifest, type Reference } from '@tbuild/oci';
import { writeTo, type Destination } from './destination.ts';
import { blobPath, layoutArchive, layoutMark } from './layout-archive.ts';
import { layoutIndex, namedEntries } from './layout-index.ts';

/** An image of one platform in a store. */
export interface ImageToSave {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly names: readonly Reference[];
}

/** Writes images of a store as `docker save` does: one archive, every blob once and as it is in the store. */
export function saveImages(
  images: readonly ImageToSave[],
  content: Provider,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  const blobs = new Map<string, Descriptor>();
  for (const { descriptor, manifest } of images) {
    for (const blob of [...manifest.layers, manifest.config, descriptor]) blobs.set(blob.digest, blob);
  }
  const manifests = images.map(({ manifest, names }) => ({
    Config: blobPath(manifest.config.digest),
    RepoTags: names
      .filter(({ tag }) => tag !== undefined)
      .map((name) => familiarReference({ ...name, digest: undefined })),
    Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
  }));
  const files = [
    {
      name: 'index.json',
      content: layoutIndex(images.flatMap(({ descriptor, names }) => namedEntries(descriptor, names))),
    },
    { name: 'manifest.json', content: manifests },
    layoutMark,
  ];
  return writeTo(destination, layoutArchive([...blobs.values()], files, content, signal));
}
