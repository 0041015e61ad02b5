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
}

/**
 * Packs the layer of an image step while later steps run, and prepares it for the outputs. Assembling the image
 * requests the same layer and so reports a failure.
 */
export function scheduleLayerPacking(
  result: ResultId,
  step: Step,
  { imageSteps, results, preparation }: Omit<ImageLayers, 'leafSteps'>,
): void {
  if (!imageSteps.has(step.id)) return;
  const layer = nextTurn().then(() => results.layer(result));
  preparation.add({ layer: layer.catch(() => undefined) });
}
