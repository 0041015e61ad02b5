import { copyImage, type ImageRefs, type Ingester, type Provider } from '@tbuild/content';
import { familiarReference, formatReference } from '@tbuild/oci';
import { encodeExport } from './encode-export.ts';
import type { Exporter } from './exporter.ts';
import { reportTransfers } from './transfer-report.ts';

export interface ImageStoreOptions {
  readonly content: Provider & Ingester;
  readonly refs: ImageRefs;
}

/**
 * Completes the image in the local store and gives it its names. Blobs that only a registry has are
 * fetched before the first name is set, so every named image is whole.
 */
export function imageStore({ content, refs }: ImageStoreOptions): Exporter {
  return {
    name: 'exporting to image',
    async export(result, report, signal) {
      const { root, content: from } = await encodeExport(result, {}, report, signal);
      await copyImage(from, content, root, { signal, onProgress: reportTransfers(report) });
      for (const reference of result.names) {
        refs.set(reference, root);
        report(`naming to ${formatReference(reference)}`, 0, 0);
      }
      return { destination: result.names.map(familiarReference).join(', ') || root.digest, manifest: root.digest };
    },
  };
}
