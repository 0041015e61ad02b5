import type { Step } from '@tbuild/graph';
import { chooseStrategy, isLarge, type PendingLayer } from '@tbuild/layers';
import type { StoreLayout } from '@tbuild/store';
import type { ImageLayers } from '../image-layers.ts';
import { type RememberedCopy, wasDoneBefore } from './copy-memory.ts';
import { sizeOf } from './file-input.ts';
import { circumstancesOf, type LayerPorts, startLayer } from './layer-work.ts';
import { factsOf, placeCopy, type PlacePorts } from './place-copy.ts';

/** A copy whose files are listed, but not yet read. */
export type ListedCopy = Omit<RememberedCopy, 'makes'>;

/** The layer of a copy that is written while its files are still being read for the key. */
export interface EarlyLayer {
  /** Allows the layer to start, until the signal aborts. */
  allow(signal: AbortSignal): void;
  /** Starts the layer once the files are listed. */
  onListed(copy: ListedCopy): void;
  /** Says that the files are read. A layer that still waits for the tree below starts only if that is worth it now. */
  onKeyed(): void;
  /** Returns the layer, or undefined if none was started. */
  pending(): Promise<PendingLayer | undefined>;
  /** Aborts the layer if the files change while they are read. */
  abort(): Promise<void>;
}

/** What an early layer uses. */
export interface EarlyLayerPorts extends LayerPorts, PlacePorts, Pick<ImageLayers, 'imageSteps' | 'leafSteps'> {
  readonly store: Pick<StoreLayout, 'variantsOf' | 'copyMemo'>;
  /** Whether the build imports caches, which may have the results of its steps. */
  readonly importsCaches: boolean;
}

/**
 * Opens the early layer of a step. It starts only for a large copy that almost certainly has to run: the same
 * instruction has not run on this base before, and no imported cache may have its result.
 */
export function openEarlyLayer(step: Step, ports: EarlyLayerPorts): EarlyLayer {
  const own = new AbortController();
  let signal: AbortSignal | undefined;
  let isKeyed = false;
  let started: Promise<PendingLayer | undefined> = Promise.resolve(undefined);
  return {
    allow: (until) => void (signal = until),
    onListed(copy) {
      // A failure here also fails the step, which reports it.
      if (signal !== undefined)
        started = start({ ...copy, step, isKeyed: () => isKeyed }, ports, AbortSignal.any([signal, own.signal])).catch(
          () => undefined,
        );
    },
    onKeyed: () => void (isKeyed = true),
    pending: () => started,
    async abort() {
      own.abort();
      await started;
    },
  };
}

async function start(
  copy: ListedCopy & { readonly step: Step; readonly isKeyed: () => boolean },
  ports: EarlyLayerPorts,
  signal: AbortSignal,
): Promise<PendingLayer | undefined> {
  const { step, selection, input } = copy;
  if (!ports.imageSteps.has(step.id) || ports.importsCaches || selection.unpack || input.owner === 'keep')
    return undefined;
  if (!isLarge(sizeOf(await input.select())) || wasDoneBefore(copy, ports.store)) return undefined;
  const placed = await placeCopy({ ...copy, input: { ...input, hasStableStat: true } }, ports);
  if (placed === undefined || signal.aborted) return undefined;
  const strategy = chooseStrategy(factsOf(placed, step, ports), circumstancesOf(ports, { isKeyed: copy.isKeyed() }));
  return startLayer({ placed, strategy }, ports, signal);
}
