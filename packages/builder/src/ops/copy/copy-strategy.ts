import { isLargeFile, type SelectedSource } from '@tbuild/context';
import type { PlacedCopy } from '@tbuild/copy';
import type { Step } from '@tbuild/graph';
import { chooseStrategy, type LayerPorts, type Strategy } from '@tbuild/layers';
import type { ImageLayers } from '../image-layers.ts';
import { sizeOf } from './file-input.ts';

/** A copy whose destinations are resolved. */
export interface ResolvedCopy {
  readonly placed: PlacedCopy;
  readonly step: Step;
  /** Whether the step's key is known. */
  readonly isKeyed: boolean;
}

/** What choosing a strategy uses. */
export type StrategyPorts = Pick<LayerPorts, 'layerSubprocess' | 'preparation'> &
  Pick<ImageLayers, 'imageSteps' | 'leafSteps'>;

/** Chooses how to make the layer of a copy, by its files and by what this machine and the outputs do meanwhile. */
export function strategyOf(
  { placed: { sources, earlier, hasStableStat }, step, isKeyed }: ResolvedCopy,
  { layerSubprocess, preparation, imageSteps, leafSteps }: StrategyPorts,
): Strategy {
  const copy = {
    isImageStep: imageSteps.has(step.id),
    isLeaf: leafSteps.has(step.id),
    hasStableStat,
    ...sizeOf(sources),
    largeFileBytes: largeBytesOf(sources),
    hasEarlierLayer: earlier !== undefined,
  };
  return chooseStrategy(copy, {
    isKeyed,
    hasSubprocess: layerSubprocess !== undefined,
    compresses: preparation.isWanted,
    needsUncompressed: preparation.needsBytes,
    isIdle: preparation.isIdle(),
  });
}

/**
 * Returns the total size of large files, which the next copy reads from the context instead of from an earlier layer.
 */
function largeBytesOf(sources: readonly SelectedSource[]): number {
  let bytes = 0;
  for (const { entry, files } of sources) {
    if (isLargeFile(entry)) bytes += entry.stats.size;
    for (const file of files) if (isLargeFile(file.entry)) bytes += file.entry.stats.size;
  }
  return bytes;
}
