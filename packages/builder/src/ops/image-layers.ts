import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultId, Step, StepId } from '@tbuild/graph';
import type { LayerPreparation, StepResults } from '@tbuild/layers';

/** The layers of the images that a build makes. */
export interface ImageLayers {
  readonly results: StepResults;
  /** Steps whose layers are part of an image. They are packed while later steps run. */
  readonly imageSteps: ReadonlySet<StepId>;
  /** Image steps without dependent steps, of which only the layer is needed. */
  readonly leafSteps: ReadonlySet<StepId>;
  /** Prepares layers of the image for the outputs. */
  readonly preparation: LayerPreparation;
  /** Prepares layers of other steps for the caches to export. */
  readonly cachePreparation: LayerPreparation;
}

/**
 * Packs the layer of a step that an image or a cache will have while later steps run, and prepares it for the outputs.
 * Assembling the image or the cache requests the same layer and so reports a failure.
 */
export function scheduleLayerPacking(
  result: ResultId,
  step: Step,
  { imageSteps, results, preparation, cachePreparation }: Omit<ImageLayers, 'leafSteps'>,
): void {
  const isOfImage = imageSteps.has(step.id);
  if (!isOfImage && !cachePreparation.isWanted) return;
  const layer = nextTurn().then(() => results.layer(result));
  (isOfImage ? preparation : cachePreparation).add({ layer: layer.catch(() => undefined) });
}
