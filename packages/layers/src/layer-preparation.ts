import pLimit from 'p-limit';
import type { PendingLayer } from './pending-layer.ts';

/** Lets the outputs do what they have to do for each layer while later steps run. */
export interface LayerPreparation {
  /** Whether there is anything to do. */
  readonly isWanted: boolean;
  /** Whether the outputs do not all compress the bytes of a layer as they come, in the same way. */
  readonly needsBytes: boolean;
  /** Whether a layer that is added now is taken up at once. */
  isIdle(): boolean;
  /** Fulfilled when all is done for this layer that can be; never rejected. */
  add(pending: PendingLayer): Promise<void>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** When all is done that was added; never rejected. */
  settled(): Promise<void>;
}

export interface PreparationOptions {
  readonly epoch: number | undefined;
  readonly signal: AbortSignal;
}

/** An output, as far as it prepares layers while the build runs (`Exporter` of the package exporter). */
export interface LayerConsumer {
  prepare?(pending: PendingLayer, epoch: number | undefined, signal: AbortSignal): Promise<void>;
  readonly compresses?: string;
}

export function createLayerPreparation(
  exporters: readonly LayerConsumer[],
  { epoch, signal }: PreparationOptions,
): LayerPreparation {
  const variants = new Set(exporters.map(({ compresses }) => compresses));
  const wanting = exporters.filter(({ prepare }) => prepare !== undefined);
  // Compressing one layer keeps every core busy.
  const limit = pLimit(1);
  const underway = new Set<Promise<void>>();
  /** One after the other: the second finds what the first has made, and need not read the bytes. */
  const prepare = async ({ layer, bytes }: PendingLayer): Promise<void> => {
    for (const [at, exporter] of wanting.entries()) {
      if (signal.aborted) return;
      await exporter.prepare?.(at === 0 ? { layer, bytes } : { layer }, epoch, signal).catch(() => {});
    }
  };
  return {
    isWanted: wanting.length > 0,
    needsBytes: variants.size !== 1 || variants.has(undefined),
    isIdle: () => underway.size === 0,
    signal,
    add(pending) {
      const work = limit(() => prepare(pending)).finally(() => underway.delete(work));
      underway.add(work);
      return work;
    },
    async settled() {
      await Promise.all(underway);
    },
  };
}
