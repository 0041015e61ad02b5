import { layerCompression, type Descriptor } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';

/**
 * What `copyImage` calls for its progress. Only what takes a while is worth a line: documents are not, nor
 * are layers that are there already, which are reported once and whole.
 */
export function reportTransfers(report: ReportTransfer): (blob: Descriptor, bytes: number) => void {
  const begun = new Set<string>();
  return ({ mediaType, digest, size }, bytes) => {
    if (layerCompression(mediaType) === undefined || (bytes === size && !begun.has(digest))) return;
    begun.add(digest);
    report(digest, bytes, size);
  };
}
