import { layerCompression, type Descriptor } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';

/**
 * Returns a progress callback for `copyImage`. Reports only blobs that take time: no documents; layers that are there
 * already once, as complete.
 */
export function reportTransfers(report: ReportTransfer): (blob: Descriptor, bytes: number) => void {
  const begun = new Set<string>();
  return ({ mediaType, digest, size }, bytes) => {
    if (layerCompression(mediaType) === undefined || (bytes === size && !begun.has(digest))) return;
    begun.add(digest);
    report(digest, bytes, size);
  };
}
