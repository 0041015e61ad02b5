import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultId } from '@tbuild/graph';
import type { StepContext } from './op-environment.ts';

/**
 * Packs the layer of an image step while later steps run, and prepares it for the outputs. Assembling the image
 * requests the same layer and so reports a failure.
 */
export function scheduleLayerPacking(result: ResultId, { step, imageSteps, results, preparation }: StepContext): void {
  if (!imageSteps.has(step.id)) return;
  const layer = nextTurn().then(() => results.layer(result));
  preparation.add({ layer: layer.catch(() => undefined) });
}
