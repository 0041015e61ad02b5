import { copyImage, type ImageRefs, type Ingester, type Provider } from '@tbuild/content';
import type { VariantStore } from '@tbuild/layers';
import { familiarReference, formatReference, parseReference, type Digest, type Reference } from '@tbuild/oci';
import type { ImageFormat, StoredNames } from '@tbuild/spec';
import { encodeExport, exportedTo, preparing } from './encode/encode-export.ts';
import type { Exporter } from './exporter.ts';
import { reportTransfers } from './transfer-report.ts';

export interface ImageStoreOptions extends ImageFormat, StoredNames {
  readonly content: Provider & Ingester;
  readonly refs: ImageRefs;
  /** Needed when layers change their form. */
  readonly store?: VariantStore;
}

/**
 * Completes the image in the local store and names it; keeps an image without a name too. Fetches blobs that only a
 * registry has before it sets the first name, so every image of the store is complete.
 */
export function imageStore({ content, refs, ...options }: ImageStoreOptions): Exporter {
  return {
    name: 'exporting to image',
    ...preparing(options),
    async export(result, report, signal) {
      const encoded = await encodeExport(result, options, { report, signal });
      const { root } = encoded;
      await copyImage(root, { from: encoded.content, to: content }, { signal, onProgress: reportTransfers(report) });
      const names = storedNames(result.names, root.digest, options);
      if (names.length === 0) refs.keep(root);
      else refs.set(names.map((reference) => ({ reference, target: root })));
      for (const reference of names) report(`naming to ${formatReference(reference)}`, 0, 0);
      return exportedTo(names.map(familiarReference).join(', ') || root.digest, encoded);
    },
  };
}

function storedNames(
  names: readonly Reference[],
  digest: Digest,
  { nameCanonical = false, danglingPrefix, danglingEmptyOnly = false }: StoredNames,
): readonly Reference[] {
  const dangles = danglingPrefix !== undefined && (names.length === 0 || !danglingEmptyOnly);
  return [
    ...names.flatMap((name) => (nameCanonical ? [name, { ...name, digest }] : [name])),
    ...(dangles ? [parseReference(`${danglingPrefix}@${digest}`)] : []),
  ];
}
