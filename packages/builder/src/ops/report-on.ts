import type { ReportTransfer } from '../track.ts';
import type { StepContext } from './op-environment.ts';

/**
 * Shows transfers of a step that has to fetch something before its key is known: it counts as started
 * with the first of them.
 */
export function reportOn({ progress, step, worker }: Pick<StepContext, 'progress' | 'step' | 'worker'>): ReportTransfer {
  let started = false;
  return (item, current, total) => {
    if (!started) progress.emit({ type: 'started', step: step.id, at: worker.now() });
    started = true;
    progress.emit({ type: 'transfer', step: step.id, item, current, total });
  };
}
