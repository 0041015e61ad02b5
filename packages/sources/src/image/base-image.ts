import { openLayout, type Provider, useStored } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import type { ImageOp } from '@tbuild/graph';
import { isIndex, parseManifest, parseReference, type Descriptor, type Layer, type Manifest } from '@tbuild/oci';
import type { ImageSources } from './image-sources.ts';

/** Returns a provider of an image's blobs: the store, or the place that the image came from. */
export async function imageProvider(
  { source, reference }: Pick<ImageOp, 'source' | 'reference'>,
  images: Pick<ImageSources, 'content' | 'openRepository'>,
): Promise<Provider> {
  switch (source.kind) {
    case 'store':
      return images.content;
    case 'layout':
      return (await openLayout(source.path)).provider;
    case 'registry':
      return images.openRepository(parseReference(reference));
  }
}

/** Returns the layers of a base image, from its manifest and configuration. Their blobs need not be in the store. */
export function baseLayers(op: ImageOp, images: Pick<ImageSources, 'content'>): readonly Layer[] {
  const { layers } = readManifest(op, images);
  return op.diffIds.map((diffId, index) => ({ diffId, descriptor: layerAt(layers, index, op) }));
}

function readManifest(op: ImageOp, images: Pick<ImageSources, 'content'>): Manifest {
  const bytes = useStored(images.content, op.manifest);
  const manifest = bytes === undefined ? undefined : parseManifest(bytes);
  if (manifest === undefined || isIndex(manifest)) throw new Error(`Manifest ${op.manifest} is missing from the store`);
  return manifest;
}

function layerAt(layers: readonly Descriptor[], index: number, op: ImageOp): Descriptor {
  const layer = layers.length === op.diffIds.length ? layers[index] : undefined;
  if (layer !== undefined) return layer;
  throw new TbuildError(
    'REGISTRY',
    `Image ${op.reference} has ${layers.length} layers in its manifest and ${op.diffIds.length} in its configuration`,
  );
}
