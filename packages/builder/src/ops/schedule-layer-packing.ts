import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultId } from '@tbuild/graph';
import type { StepContext } from './op-environment.ts';

/**
 * Packs the layer of a step of the image while later steps run, and gets it ready for the outputs. A failure is not lost: whoever
 * assembles the image asks for the same layer and gets the same error.
 */
export function scheduleLayerPacking(result: ResultId, { step, imageSteps, results, preparation }: StepContext): void {
  if (!imageSteps.has(step.id)) return;
  const layer = nextTurn().then(() => results.layer(result));
  preparation.add({ layer: layer.catch(() => undefined) });
}
