import type { Provider } from '@tbuild/content';
import type { Descriptor, Manifest, Reference } from '@tbuild/oci';
import { writeTo, type Destination } from '../destination.ts';
import { dockerManifest } from './image-archive.ts';
import { layoutArchive, layoutMark } from './layout-archive.ts';
import { layoutIndex, namedEntries } from './layout-index.ts';

/** An image of one platform in a store. */
export interface ImageToSave {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly names: readonly Reference[];
}

export interface SaveOptions {
  readonly content: Provider;
  readonly destination: Destination;
  readonly signal: AbortSignal;
}

/** Writes images of a store as `docker save` does: one archive, every blob once and unchanged. */
export function saveImages(
  images: readonly ImageToSave[],
  { content, destination, signal }: SaveOptions,
): Promise<void> {
  const blobs = new Map<string, Descriptor>();
  for (const { descriptor, manifest } of images) {
    for (const blob of [...manifest.layers, manifest.config, descriptor]) blobs.set(blob.digest, blob);
  }
  const files = [
    {
      name: 'index.json',
      content: layoutIndex(images.flatMap(({ descriptor, names }) => namedEntries(descriptor, names))),
    },
    dockerManifest(images.map(({ manifest: { config, layers }, names }) => ({ config, layers, names }))),
    layoutMark,
  ];
  return writeTo(destination, layoutArchive([...blobs.values()], { files, content, signal }));
}
