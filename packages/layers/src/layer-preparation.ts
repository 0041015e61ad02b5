import pLimit from 'p-limit';
import type { PendingLayer } from './pending-layer.ts';

/** Lets the outputs prepare each layer while later steps run. */
export interface LayerPreparation {
  /** Whether an output prepares layers. */
  readonly isWanted: boolean;
  /**
   * Whether an output needs the uncompressed layer again. False if all outputs compress its bytes as they come, in the
   * same way.
   */
  readonly needsBytes: boolean;
  /** Whether work on a layer added now starts immediately. */
  isIdle(): boolean;
  /** Prepares a layer. The promise fulfills when the outputs have tried, and never rejects. */
  add(pending: PendingLayer): Promise<void>;
  /** Aborts the preparation. */
  readonly signal: AbortSignal;
  /** Waits for all layers added so far. Never rejects. */
  settled(): Promise<void>;
}

/** An output that may prepare layers while the build runs (`Exporter` of the package exporter). */
export interface LayerConsumer {
  prepare?(pending: PendingLayer, signal: AbortSignal): Promise<void>;
  readonly compresses?: string;
}

export function createLayerPreparation(
  exporters: readonly LayerConsumer[],
  { signal }: { readonly signal: AbortSignal },
): LayerPreparation {
  const variants = new Set(exporters.map(({ compresses }) => compresses));
  const wanting = exporters.filter(({ prepare }) => prepare !== undefined);
  // Compressing one layer keeps every core busy.
  const limit = pLimit(1);
  const underway = new Set<Promise<void>>();
  /** Runs the outputs one after the other: the second finds what the first made, and need not read the bytes. */
  const prepare = async ({ layer, bytes }: PendingLayer): Promise<void> => {
    for (const [at, exporter] of wanting.entries()) {
      if (signal.aborted) return;
      await exporter.prepare?.(at === 0 ? { layer, bytes } : { layer }, signal).catch(() => {});
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
