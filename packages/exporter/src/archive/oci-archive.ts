import type { VariantStore } from '@tbuild/layers';
import type { Descriptor } from '@tbuild/oci';
import type { ImageFormat } from '@tbuild/spec';
import { explaining, nameOf, writeTo, type Destination } from '../destination.ts';
import { encodeCompressed, exportedTo, preparingCompressed } from '../encode/encode-export.ts';
import type { Exporter } from '../exporter.ts';
import { imageArchive } from './image-archive.ts';
import { namedEntries, withEntries } from './layout-index.ts';
import { writeLayout } from './write-layout.ts';

/** Layers are compressed with gzip unless a compression is given. */
export interface OciArchiveOptions extends ImageFormat {
  /** A stream is for an archive only. */
  readonly destination: Destination;
  readonly store: VariantStore;
}

const NAME = 'exporting to oci image format';

/** Writes an OCI image layout as a tar, with several platforms under one index. */
export function ociArchive({ destination, ...options }: OciArchiveOptions): Exporter {
  return {
    name: NAME,
    ...preparingCompressed(options),
    async export(result, report, signal) {
      const encoded = await encodeCompressed(result, options, { report, signal });
      await writeTo(destination, imageArchive(encoded, result.names, { report, signal }));
      return exportedTo(nameOf(destination), encoded);
    },
  };
}

/**
 * Writes an OCI image layout as a directory (`tar=false`). Adds to an existing layout, and replaces images of the same
 * name; `index.json` changes last and in one step.
 */
export function ociLayout({ destination, ...options }: OciArchiveOptions & { readonly destination: string }): Exporter {
  return {
    name: NAME,
    ...preparingCompressed(options),
    async export(result, report, signal) {
      const encoded = await encodeCompressed(result, options, { report, signal });
      const { root, content } = encoded;
      const entries = (present: readonly Descriptor[]) => withEntries(present, namedEntries(root, result.names));
      await explaining(destination, () => writeLayout(destination, { root, content, entries }, signal));
      return exportedTo(destination, encoded);
    },
  };
}
