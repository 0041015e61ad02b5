import { nameOf, writeTo, type Destination } from '../destination.ts';
import { isAttested } from '../encode/attestation.ts';
import {
  encodeExport,
  exportedTo,
  onlyImage,
  preparing,
  type EncodedExport,
  type EncodeOptions,
} from '../encode/encode-export.ts';
import type { Exportable, Exported, Exporter, ExportRun } from '../exporter.ts';
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
      const run = { report, signal };
      const encoded = await encodeForDocker(result, options, run);
      await writeTo(destination, imageArchive(encoded, result.names, run));
      return { ...exportedTo(nameOf(destination), encoded), ...withoutAttestations(result) };
    },
  };
}

/**
 * Encodes the only image of a result without its attestations.
 * @throws TbuildError UNSUPPORTED for several platforms.
 */
export function encodeForDocker(result: Exportable, options: EncodeOptions, run: ExportRun): Promise<EncodedExport> {
  const image = onlyImage(result.images, 'A docker archive', HINT);
  return encodeExport({ ...result, images: [{ ...image, attestations: undefined }] }, options, run);
}

const HINT = 'Use -o type=oci, or build one platform';

/** Says that the archive lacks attestations, if the result has some. */
export function withoutAttestations({ images }: Exportable): Pick<Exported, 'leftOut'> {
  return isAttested(images) ? { leftOut: 'attestations' } : {};
}
