import type { Descriptor } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';

/** Shows how a layer gets into the store: the bytes as they are fetched, then the extraction. */
export interface ShownLayer {
  /** Reports the number of archive bytes that the extraction has read, fetching them if necessary. */
  onExtracted(bytes: number): void;
  /** Reports that the layer is extracted. */
  done(): void;
}

/** In milliseconds. Reporting every chunk would keep the displays busy. */
const INTERVAL = 100;

/** Creates the reporter of a layer. `isStored` means that nothing has to be fetched. */
export function showLayer(
  { digest, size }: Descriptor,
  { step, isStored, progress, now }: { step: string; isStored: boolean; progress: Progress; now(): number },
): ShownLayer {
  const extracting = { type: 'transfer', step, item: `extracting ${digest}`, current: 0 } as const;
  let [isHere, isExtracting, shownAt] = [isStored, false, -INTERVAL];
  const onFetched = (bytes: number): void => {
    isHere = bytes >= size;
    const at = now();
    if (!isHere && at - shownAt < INTERVAL) return;
    shownAt = at;
    progress.emit({ type: 'transfer', step, item: digest, current: bytes, total: size });
  };
  const extract = (): void => {
    if (!isExtracting) progress.emit(extracting);
    isExtracting = true;
  };
  return {
    onExtracted(bytes) {
      if (!isHere) onFetched(bytes);
      if (isHere) extract();
    },
    done() {
      extract();
      progress.emit({ ...extracting, done: true });
    },
  };
}
