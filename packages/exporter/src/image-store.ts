import { copyImage, type ImageRefs, type Ingester, type Provider } from '@tbuild/content';
import { familiarReference, formatReference } from '@tbuild/oci';
import type { VariantStore } from './compress-layer.ts';
import { encodeExport, exportedTo } from './encode-export.ts';
import type { Exporter } from './exporter.ts';
import type { ImageFormat } from './image-format.ts';
import { reportTransfers } from './transfer-report.ts';

export interface ImageStoreOptions extends ImageFormat {
  readonly content: Provider & Ingester;
  readonly refs: ImageRefs;
  /** Needed when layers are to be others than they are. */
  readonly store?: VariantStore;
}

/**
 * Completes the image in the local store and gives it its names. Blobs that only a registry has are
 * fetched before the first name is set, so every named image is whole.
 */
export function imageStore({ content, refs, ...options }: ImageStoreOptions): Exporter {
  return {
    name: 'exporting to image',
    async export(result, report, signal) {
      const encoded = await encodeExport(result, options, report, signal);
      const { root } = encoded;
      await copyImage(encoded.content, content, root, { signal, onProgress: reportTransfers(report) });
      for (const reference of result.names) {
        refs.set(reference, root);
        report(`naming to ${formatReference(reference)}`, 0, 0);
      }
      return exportedTo(result.names.map(familiarReference).join(', ') || root.digest, encoded);
    },
  };
}
