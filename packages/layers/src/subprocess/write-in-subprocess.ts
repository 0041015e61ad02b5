import type { PlacedCopy } from '@tbuild/copy';
import type { Layer } from '@tbuild/oci';
import { compressedForm, type LayerStore } from '../compressed-layers.ts';
import type { LayerPreparation } from '../layer-preparation.ts';
import type { PendingLayer } from '../pending-layer.ts';
import type { Strategy } from '../strategy.ts';
import type { LayerSubprocess } from './layer-subprocess.ts';

/** What writing a layer in a second process uses. */
export interface LayerPorts extends LayerStore {
  readonly layerSubprocess?: LayerSubprocess;
  readonly preparation: LayerPreparation;
}

/**
 * Starts to write the layer of a copy in a second process, which the outputs compress meanwhile. Returns undefined if
 * the strategy is another one, or the process is busy or cannot start. Without `keepsUncompressed`, the layer is
 * undefined if it could not be compressed.
 */
export function writeLayerInSubprocess(
  copy: PlacedCopy,
  { layer, keepsUncompressed: keep }: Pick<Strategy, 'layer' | 'keepsUncompressed'>,
  { layerSubprocess, preparation, signal, ...stored }: LayerPorts & { readonly signal: AbortSignal },
): PendingLayer | undefined {
  if (layer !== 'written-in-subprocess') return undefined;
  const pending = layerSubprocess?.start(copy, AbortSignal.any([signal, preparation.signal]), { keep });
  if (pending === undefined) return undefined;
  const prepared = preparation.add(pending);
  if (keep) return pending;
  return { ...pending, layer: prepared.then(() => compressedOnly(pending, stored)).catch(() => undefined) };
}

async function compressedOnly({ layer }: PendingLayer, stored: LayerStore): Promise<Layer | undefined> {
  const made = await layer;
  return made && compressedForm(made.diffId, stored) && made;
}
