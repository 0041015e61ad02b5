import { hasCode, locate, messageOf, type SourceRange } from '@tbuild/errors';
import type { Outcome, Progress } from '@tbuild/progress';
import { lostLayerBehind } from './step-results/lost-layer.ts';

export interface ShownWork {
  readonly progress: Progress;
  now(): number;
  /** The step that the work belongs to. The step may have finished before. */
  readonly step: { readonly id: string; readonly location?: SourceRange };
  /** Outcome of the step if the work succeeds. Defaults to `built`. */
  readonly outcome?: Outcome;
  readonly signal?: AbortSignal;
}

/** Shows work as a run of a step: started, then finished. Errors get the step's location in the Dockerfile. */
export async function showWork<T>(
  { progress, now, step, outcome = 'built', signal }: ShownWork,
  work: () => Promise<T>,
): Promise<T> {
  progress.emit({ type: 'started', step: step.id, at: now() });
  try {
    const result = await work();
    progress.emit({ type: 'finished', step: step.id, at: now(), outcome });
    return result;
  } catch (error) {
    progress.emit({
      type: 'finished',
      step: step.id,
      at: now(),
      outcome: signal?.aborted === true || isCancelled(error) ? 'cancelled' : 'failed',
      error: messageOf(error),
    });
    throw locate(error, step.location);
  }
}

/**
 * Decides whether to show the step as cancelled. A step whose layer is lost runs again, and reports any failure then.
 */
function isCancelled(error: unknown): boolean {
  return hasCode(error, 'CANCELLED') || lostLayerBehind(error) !== undefined;
}
