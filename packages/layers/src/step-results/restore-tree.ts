import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import { hexOf, type Descriptor } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import pLimit from 'p-limit';
import { isStored } from '../compressed-layers.ts';
import { showLayer, type ShownLayer } from '../show-layer.ts';
import { showWork, type ShownWork } from '../show-work.ts';
import type { ResultLayer } from './layer-file.ts';
import { LostLayer } from './lost-layer.ts';
import type { ResultStore, StepResultsOptions } from './result-store.ts';

/** Number of layers to fetch concurrently. */
const TRANSFERS = 4;

/** A result of which only the layer is left. */
export interface ResultToRestore {
  readonly result: ResultId;
  readonly layer: ResultLayer;
  /** The cached step of the result. */
  readonly step?: ShownWork['step'];
  /** Makes the tree below available. Undefined for the lowest layer. */
  parentTree?(): Promise<unknown>;
}

/** Returns a function that makes the tree of a result from its layer, shown as work of its step. */
export function createTreeRestorer(
  stores: ResultStore,
  { remote, progress, now, signal }: StepResultsOptions,
): (restored: ResultToRestore) => Promise<Snapshot> {
  const fetching = pLimit(TRANSFERS);
  /** Fetches a layer. The layers of a chain are fetched concurrently, while those below are extracted. */
  const fetchLayer = async (descriptor: Descriptor, shown?: ShownLayer): Promise<void> => {
    if (isStored(descriptor, stores)) return;
    let fetched = 0;
    for await (const bytes of await remote.provider.read(descriptor, signal))
      shown?.onFetched((fetched += bytes.length));
  };
  const extract = async ({ result, layer, parentTree }: ResultToRestore, shown?: ShownLayer): Promise<Snapshot> => {
    const { descriptor, diffId, parent = null } = layer;
    if (parentTree !== undefined) await Promise.all([parentTree(), fetching(() => fetchLayer(descriptor, shown))]);
    await using active = await stores.snapshots.prepare(parent === null ? undefined : hexOf(parent));
    const extracted = await stores.differ.extract(descriptor, active.upper, {
      from: remote.provider,
      lowers: active.lowers,
      signal,
      onProgress: shown?.onExtracted,
    });
    shown?.done();
    if (extracted.diffId === diffId) return active.commit(hexOf(result));
    const message = `Cached layer ${descriptor.digest} unpacks to ${extracted.diffId}, expected ${diffId}`;
    throw new LostLayer(descriptor.digest, new TbuildError('DIGEST_MISMATCH', message));
  };
  return async (restored) => {
    const { step, layer, parentTree } = restored;
    const isHere = isStored(layer.descriptor, stores);
    // Waiting for the parent tree must not show this step as started.
    if (isHere) await parentTree?.();
    if (step === undefined) return extract(restored);
    const shown = { progress, now, step, signal, outcome: 'cached' } as const;
    return showWork(shown, () =>
      extract(restored, showLayer(layer.descriptor, { ...shown, step: step.id, isStored: isHere })),
    );
  };
}
