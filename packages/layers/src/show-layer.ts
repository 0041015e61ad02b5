import type { Progress } from '@tbuild/progress';
import type { Descriptor } from '@tbuild/oci';

/** Shows how one layer gets into the store: the bytes while they are fetched, then that it is being extracted. */
export interface ShownLayer {
  /** Takes how many bytes of the archive have been fetched by something that does not extract them. */
  onFetched(bytes: number): void;
  /** Takes how many bytes of the archive the extraction has read, which fetches them where that was not done before. */
  onExtracted(bytes: number): void;
  /** Says that the layer is extracted. */
  done(): void;
}

/** A chunk is small: telling of each would keep the displays busy. */
const INTERVAL = 100;

/** `isStored` says that nothing has to be fetched. */
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
    onFetched,
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
