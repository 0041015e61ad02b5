import { familiarReference } from '@tbuild/oci';
import type { EncodedExport } from '../encode/encode-export.ts';
import type { Exportable } from '../exporter.ts';

/** Returns the names of a loaded image for people, or its ID. */
export function loadedNames({ names }: Pick<Exportable, 'names'>, { images, root }: EncodedExport): string {
  const [only] = images;
  return names.map(familiarReference).join(', ') || (only?.config.descriptor.digest ?? root.digest);
}
