import { familiarReference, type Descriptor, type Digest, type EncodedImage, type Reference } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { EncodedExport } from '../encode/encode-export.ts';
import type { ExportRun } from '../exporter.ts';
import { blobPath, layoutArchive, layoutMark, type LayoutFile } from './layout-archive.ts';
import { layoutIndex, namedEntries } from './layout-index.ts';

/**
 * Returns a result as an OCI image layout in a tar. With one image, `docker load` reads it too, thanks to its
 * `manifest.json`. Layers that the reader has may be omitted.
 */
export function imageArchive(
  { root, images, layers, documents, content }: EncodedExport,
  names: readonly Reference[],
  { report, signal, omitted }: ExportRun & { readonly omitted?: ReadonlySet<Digest> },
): AsyncIterable<Uint8Array> {
  const wanted = layers.filter(({ digest }) => omitted?.has(digest) !== true);
  const blobs = [...wanted, ...documents.map(({ descriptor }) => descriptor)];
  const files = [
    { name: 'index.json', content: layoutIndex(namedEntries(root, names)) },
    ...(images.length === 1 ? [dockerManifest(images.map((image) => describe(image, names)))] : []),
    layoutMark,
  ];
  return counted(layoutArchive(blobs, { files, content, signal }), 'sending tarball', report);
}

function describe({ config, layers }: EncodedImage, names: readonly Reference[]): ArchivedImage {
  return { config: config.descriptor, layers: layers.map(({ descriptor }) => descriptor), names };
}

/** An image of an archive by its blobs. */
export interface ArchivedImage {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly names: readonly Reference[];
}

/** Returns the file that `docker load` reads first. */
export function dockerManifest(images: readonly ArchivedImage[]): LayoutFile {
  const content = images.map(({ config, layers, names }) => ({
    Config: blobPath(config.digest),
    RepoTags: names
      .filter(({ tag }) => tag !== undefined)
      .map((name) => familiarReference({ ...name, digest: undefined })),
    Layers: layers.map(({ digest }) => blobPath(digest)),
  }));
  return { name: 'manifest.json', content };
}

/** Reports bytes as they are read. */
async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  item: string,
  report: ReportTransfer,
): AsyncGenerator<Uint8Array, void, undefined> {
  let count = 0;
  report(item, 0);
  for await (const chunk of bytes) {
    yield chunk;
    count += chunk.length;
    report(item, count);
  }
  report(item, count, count);
}
