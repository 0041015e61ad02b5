import { nameOf, writeTo, type Destination } from '../destination.ts';
import {
  encodeExport,
  exportedTo,
  onlyImage,
  preparing,
  type EncodedExport,
  type EncodeOptions,
} from '../encode/encode-export.ts';
import type { Exportable, Exporter, ExportRun } from '../exporter.ts';
import { imageArchive } from './image-archive.ts';

/**
 * Writes the archive that `docker save` of Docker 25 and later writes: an OCI layout in a tar, with the `manifest.json`
 * that `docker load` and `podman load` read. Layers are not compressed; compressed ones stay so.
 * @throws TbuildError UNSUPPORTED for several platforms.
 */
export function dockerArchive({
  destination,
  ...options
}: EncodeOptions & { readonly destination: Destination }): Exporter {
  return {
    name: 'exporting to docker image format',
    ...preparing(options),
    async export(result, report, signal) {
      const { encoded, bytes } = await dockerArchiveOf(result, options, { report, signal });
      await writeTo(destination, bytes);
      return exportedTo(nameOf(destination), encoded);
    },
  };
}

/** Returns the archive as bytes. */
export async function dockerArchiveOf(
  result: Exportable,
  options: EncodeOptions,
  run: ExportRun,
): Promise<{ readonly encoded: EncodedExport; readonly bytes: AsyncIterable<Uint8Array> }> {
  const image = onlyImage(result.images, 'A docker archive', 'Use -o type=oci, or build one platform');
  const images = [{ ...image, attestations: undefined }];
  const encoded = await encodeExport({ ...result, images }, options, run);
  return { encoded, bytes: imageArchive(encoded, result.names, run) };
}
