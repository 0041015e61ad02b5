import type { PlacedCopy } from '@tbuild/copy';
import type { Layer } from '@tbuild/oci';
import { compressedForm, type LayerStore } from '../compressed-layers.ts';
import type { LayerPreparation } from '../layer-preparation.ts';
import type { PendingLayer } from '../pending-layer.ts';
import type { Strategy } from '../strategy.ts';
import type { LayerSubprocess } from './layer-subprocess.ts';

export interface SubprocessWork {
  readonly subprocess: LayerSubprocess | undefined;
  readonly preparation: LayerPreparation;
  readonly stored: LayerStore;
  readonly signal: AbortSignal;
}

/**
 * Starts to write the layer of a copy in a second process, which the outputs compress meanwhile. Returns undefined if
 * the process is busy or cannot start. Without `keepsUncompressed`, the layer is undefined if it could not be
 * compressed.
 */
export function writeLayerInSubprocess(
  copy: PlacedCopy,
  { keepsUncompressed: keep }: Pick<Strategy, 'keepsUncompressed'>,
  { subprocess, preparation, stored, signal }: SubprocessWork,
): PendingLayer | undefined {
  const pending = subprocess?.start(copy, AbortSignal.any([signal, preparation.signal]), { keep });
  if (pending === undefined) return undefined;
  const prepared = preparation.add(pending);
  if (keep) return pending;
  return { ...pending, layer: prepared.then(() => compressedOnly(pending, stored)).catch(() => undefined) };
}

async function compressedOnly({ layer }: PendingLayer, stored: LayerStore): Promise<Layer | undefined> {
  const made = await layer;
  return made && compressedForm(made.diffId, stored) && made;
}
