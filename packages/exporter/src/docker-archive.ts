import { familiarReference, type Reference } from '@tbuild/oci';
import { nameOf, writeTo, type Destination } from './destination.ts';
import { encodeExport, exportedTo, onlyImage, type EncodedExport, type EncodeOptions } from './encode-export.ts';
import type { Exportable, Exporter, ReportExport } from './exporter.ts';
import { blobPath, layoutArchive, layoutMark, type LayoutFile } from './layout-archive.ts';
import { layoutIndex, namedEntries } from './layout-index.ts';

/**
 * Writes what `docker save` of Docker 25 and later writes: an OCI layout in a tar, with the `manifest.json`
 * that `docker load` and `podman load` read. Layers are not compressed; those that came compressed stay so.
 * @throws TbuildError UNSUPPORTED for several platforms.
 */
export function dockerArchive({
  destination,
  ...options
}: EncodeOptions & { readonly destination: Destination }): Exporter {
  return {
    name: 'exporting to docker image format',
    async export(result, report, signal) {
      const { encoded, bytes } = await dockerArchiveOf(result, options, report, signal);
      await writeTo(destination, bytes);
      return exportedTo(nameOf(destination), encoded);
    },
  };
}

/** The archive as bytes, for whoever sends it on. */
export async function dockerArchiveOf(
  result: Exportable,
  options: EncodeOptions,
  report: ReportExport,
  signal: AbortSignal,
): Promise<{ readonly encoded: EncodedExport; readonly bytes: AsyncIterable<Uint8Array> }> {
  onlyImage(result.images, 'A docker archive', 'Use -o type=oci, or build one platform');
  const images = result.images.map((image) => ({ ...image, attestations: undefined }));
  const encoded = await encodeExport({ ...result, images }, options, report, signal);
  const files = [
    { name: 'index.json', content: layoutIndex(namedEntries(encoded.root, result.names)) },
    dockerManifest(encoded, result.names),
    layoutMark,
  ];
  const blobs = [...encoded.layers, ...encoded.documents.map((document) => document.descriptor)];
  const bytes = counted(layoutArchive(blobs, files, encoded.content, signal), 'sending tarball', report);
  return { encoded, bytes };
}

/** The `manifest.json` that `docker load` looks for, of a result with one image. */
export function dockerManifest({ images }: EncodedExport, names: readonly Reference[]): LayoutFile {
  const { config, layers } = onlyImage(images, 'A docker archive', '');
  const manifest = {
    Config: blobPath(config.descriptor.digest),
    RepoTags: names
      .filter(({ tag }) => tag !== undefined)
      .map((name) => familiarReference({ ...name, digest: undefined })),
    Layers: layers.map(({ descriptor }) => blobPath(descriptor.digest)),
  };
  return { name: 'manifest.json', content: [manifest] };
}

/** Reports bytes as they are taken. */
export async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  item: string,
  report: ReportExport,
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
