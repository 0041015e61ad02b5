import type { ResultId } from '@tbuild/cache';
import type { StepContext } from './op-environment.ts';

/**
 * Packs the layer of a step of the image while later steps run. A failure is not lost: whoever assembles
 * the image asks for the same layer and gets the same error.
 */
export function packSoon(result: ResultId, { step, layered, results }: StepContext): void {
  if (!layered.has(step.id)) return;
  setImmediate(() => void results.layer(result).catch(() => {}));
}
