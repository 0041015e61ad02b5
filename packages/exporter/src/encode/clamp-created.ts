import { goTimeOf, type HistoryEntry, type Image } from '@tbuild/oci';
import type { ExportedImage } from '../exporter.ts';

/**
 * Returns the image with no time in its configuration later than `latest`, in milliseconds. The history of the base image
 * stays.
 */
export function clampCreated({ image, baseHistory = 0 }: ExportedImage, latest: number | undefined): Image {
  if (latest === undefined) return image;
  const history = image.history.map((entry, at) => (at < baseHistory ? entry : clamp(entry, latest)));
  return { ...image, history, created: history.findLast(({ created }) => created !== undefined)?.created };
}

function clamp(entry: HistoryEntry, latest: number): HistoryEntry {
  const isLater = entry.created !== undefined && Date.parse(entry.created) > latest;
  return isLater ? { ...entry, created: goTimeOf(latest) } : entry;
}
