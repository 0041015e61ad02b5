import type { ComingLayer, Exporter } from '@tbuild/exporter';
import pLimit from 'p-limit';

/** Lets the outputs do what they have to do for each layer while later steps run. */
export interface LayerPreparation {
  /** Whether there is anything to do. */
  readonly isWanted: boolean;
  /** Whether any output needs other bytes of a layer than those that it compresses as they come. */
  readonly needsBytes: boolean;
  /** Fulfilled when all is done for this layer that can be; never rejected. */
  add(coming: ComingLayer): Promise<void>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** When all is done that was added; never rejected. */
  settled(): Promise<void>;
}

export interface PreparationOptions {
  readonly epoch: number | undefined;
  readonly signal: AbortSignal;
}

export function createLayerPreparation(
  exporters: readonly Exporter[],
  { epoch, signal }: PreparationOptions,
): LayerPreparation {
  const wanting = exporters.filter(({ prepare }) => prepare !== undefined);
  // Compressing one layer keeps every core busy.
  const limit = pLimit(1);
  const underway = new Set<Promise<void>>();
  /** One after the other: the second finds what the first has made, and need not read the bytes. */
  const prepare = async ({ layer, bytes }: ComingLayer): Promise<void> => {
    for (const [at, exporter] of wanting.entries()) {
      if (signal.aborted) return;
      await exporter.prepare?.(at === 0 ? { layer, bytes } : { layer }, epoch, signal).catch(() => {});
    }
  };
  return {
    isWanted: wanting.length > 0,
    needsBytes: !exporters.every(({ compresses }) => compresses === true),
    signal,
    add(coming) {
      const work = limit(() => prepare(coming)).finally(() => underway.delete(work));
      underway.add(work);
      return work;
    },
    async settled() {
      await Promise.all(underway);
    },
  };
}
