import { hexOf, layerCompression, type Descriptor } from '@tbuild/oci';
import { formatBytes, type TextOutput } from '@tbuild/tui';

/** Prints a line for each layer that has arrived. */
export function reportBlobs(out: TextOutput): (blob: Descriptor, bytes: number) => void {
  const done = new Set<string>();
  return ({ mediaType, digest, size }, bytes) => {
    if (layerCompression(mediaType) === undefined || bytes < size || done.has(digest)) return;
    done.add(digest);
    out.write(`${hexOf(digest).slice(0, 12)}: ${formatBytes(size)}\n`);
  };
}
