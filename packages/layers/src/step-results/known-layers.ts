import { rmSync } from 'node:fs';
import type { ResultId } from '@tbuild/graph';
import type { Digest, Layer } from '@tbuild/oci';
import { writeNote, type StoreLayout } from '@tbuild/store';
import { compressedForm, isStored, type LayerStore } from '../compressed-layers.ts';
import { readLayerFile, type ResultLayer } from './layer-file.ts';
import { lostLayerBehind } from './lost-layer.ts';
import type { StepResultsOptions } from './result-store.ts';

/** The layers of results that the store or an imported cache has. */
export interface KnownLayers {
  /** Returns the layer if its bytes are available. */
  find(result: ResultId): ResultLayer | undefined;
  /** Returns the layer if the store has its uncompressed bytes. */
  findUncompressed(result: ResultId): Layer | undefined;
  save(result: ResultId, layer: ResultLayer): void;
  /** Forgets the layer that an error reports as lost, with a warning. Returns the results that rely on it. */
  forgetLost(error: unknown): readonly ResultId[];
}

export function createKnownLayers(
  stores: LayerStore & { readonly store: Pick<StoreLayout, 'layer'> },
  { remote, progress }: Pick<StepResultsOptions, 'remote' | 'progress'>,
): KnownLayers {
  const fileOf = (result: ResultId): string => stores.store.layer(result);
  /** Results by the layer that this build relies on. */
  const owners = new Map<Digest, Set<ResultId>>();
  const reported = new Set<Digest>();
  return {
    find(result) {
      const layer = readLayerFile(fileOf(result));
      if (layer === undefined) return undefined;
      const { digest } = layer.descriptor;
      if (!isHeld(layer, stores) && !remote.has(digest)) return undefined;
      owners.set(digest, (owners.get(digest) ?? new Set()).add(result));
      return layer;
    },
    findUncompressed(result) {
      const layer = readLayerFile(fileOf(result));
      if (layer === undefined || layer.descriptor.digest !== layer.diffId) return undefined;
      return isStored(layer.descriptor, stores) ? layer : undefined;
    },
    save: (result, layer) => writeNote(fileOf(result), layer),
    forgetLost(error) {
      const loss = lostLayerBehind(error);
      const lost = loss && owners.get(loss.digest);
      if (loss === undefined || lost === undefined) return [];
      for (const result of lost) rmSync(fileOf(result), { force: true });
      const message = `A cached layer is missing, so its step runs again: ${loss.message}`;
      if (!reported.has(loss.digest)) progress.emit({ type: 'warning', message });
      reported.add(loss.digest);
      return [...lost];
    },
  };
}

function isHeld({ descriptor, diffId }: Layer, store: LayerStore): boolean {
  if (isStored(descriptor, store)) return true;
  return descriptor.digest === diffId && compressedForm(diffId, store) !== undefined;
}
